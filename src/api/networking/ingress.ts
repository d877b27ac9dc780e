import { ingresses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { field } from '../validation/field.ts'
import { ipWarnings } from '../validation/ips.ts'
import { ingressRow } from './ingress-row.ts'
import { checkIngressSpec, checkIngressStatus } from './ingress-rules.ts'

const classAnnotation = 'kubernetes.io/ingress.class'

/** What an Ingress does. */
export const ingressDefinition = defineKind(ingresses, {
  row: ingressRow,
  status: true,
  metadata: { onUpdate: 'both' },
  validate({ metadata, spec }, errors) {
    checkIngressSpec(spec, undefined, errors)
    const annotation = metadata?.annotations?.[classAnnotation]
    if (annotation !== undefined && spec?.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
      errors.invalid(
        field('annotations', classAnnotation),
        annotation,
        'must match `ingressClassName` when both are specified',
      )
    }
  },
  validateUpdate(ingress, old, errors, { subresource }) {
    if (subresource === 'status') checkIngressStatus(ingress.status, old.status, errors)
    else checkIngressSpec(ingress.spec, old, errors)
  },
  warnings({ metadata, spec, status }, old, subresource) {
    if (subresource === 'status')
      return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) =>
        ip ? ipWarnings(ip, field('status', 'loadBalancer', 'ingress').index(i)) : [],
      )
    if (old) return []
    const deprecated = metadata?.annotations?.[classAnnotation] !== undefined && spec?.ingressClassName === undefined
    return deprecated
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : []
  },
})
