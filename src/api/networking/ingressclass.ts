import { ingressClasses } from '../generated/resources.ts'
import type { IngressClass, IngressClassParametersReference } from '../generated/types/networking-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkText } from '../validation/check.ts'
import { checkDomainPrefixedPath } from '../validation/domain-paths.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isLabel } from '../validation/names.ts'
import { ingressClassRow } from './ingressclass-row.ts'
import { checkLocalReference } from './local-reference.ts'

const controllerMax = 250
const scopes = ['Cluster', 'Namespace']

/** What an IngressClass does. */
export const ingressClassDefinition = defineKind(ingressClasses, {
  row: ingressClassRow,
  metadata: { onUpdate: 'both' },
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster'
  },
  validate: checkIngressClass,
  validateUpdate(ingressClass, old, errors) {
    checkImmutable(ingressClass.spec?.controller, old.spec?.controller, field('spec', 'controller'), errors)
    checkIngressClass(ingressClass, errors)
  },
})

function checkIngressClass({ spec }: Frozen<IngressClass>, errors: FieldErrors): void {
  const at = field('spec')
  const controller = spec?.controller ?? ''
  if (controller.length > controllerMax) errors.tooLong(at.child('controller'), controllerMax)
  checkDomainPrefixedPath(controller, at.child('controller'), errors)
  if (spec?.parameters) checkParameters(spec.parameters, at.child('parameters'), errors)
}

function checkParameters(
  parameters: Frozen<IngressClassParametersReference>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkLocalReference(parameters, at, errors)
  const { scope, namespace } = parameters
  if (scope === undefined) errors.required(at.child('scope'))
  else if (!scopes.includes(scope)) errors.notSupported(at.child('scope'), scope, scopes)
  else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.forbidden(at.child('namespace'), "`parameters.scope` is set to 'Cluster'")
  } else if (namespace === undefined) errors.required(at.child('namespace'), "`parameters.scope` is set to 'Namespace'")
  else checkText(isLabel, namespace, at.child('namespace'), errors)
}
