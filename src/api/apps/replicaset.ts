import { replicaSets } from '../generated/resources.ts'
import type { ReplicaSetSpec } from '../generated/types/apps-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { immutableText } from '../validation/names.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled.ts'
import { checkPodTemplate } from '../core/pod-spec/template.ts'
import { podWarnings } from '../core/pod-spec/warnings.ts'
import {
  checkRequiredSelector,
  checkRunsForEver,
  checkTemplateLabels,
  hostnameWarnings,
  validMatcher,
} from '../core/pod-spec/workloads.ts'
import { replicaSetRow } from './replicaset-row.ts'

/** What a ReplicaSet does. */
export const replicaSetDefinition = defineKind(replicaSets, {
  row: replicaSetRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  defaults(replicaSet) {
    const spec = ensure(replicaSet, 'spec')
    spec.replicas ??= 1
    defaultPodTemplate(ensure(spec, 'template'))
  },
  prepareCreate: ({ spec }) => spec?.template?.spec && dropDisabledFields(spec.template.spec),
  prepareUpdate: ({ spec }, old) =>
    spec?.template?.spec && dropDisabledFields(spec.template.spec, old.spec?.template?.spec),
  validate: ({ spec }, errors) => checkSpec(spec, undefined, errors),
  validateUpdate({ spec, status }, old, errors, { subresource }) {
    if (subresource === 'status') return checkReplicaStatus(status ?? {}, field('status'), errors)
    checkSpec(spec, old.spec, errors)
    if (!equal(spec?.selector, old.spec?.selector))
      errors.invalid(field('spec', 'selector'), spec?.selector, immutableText)
  },
  warnings({ metadata, spec }, old) {
    if (old && metadata.generation === old.metadata.generation) return []
    return [
      ...(old ? [] : hostnameWarnings(metadata.name)),
      ...podWarnings(spec?.template?.spec, spec?.template?.metadata, field('spec', 'template')),
    ]
  },
})

function checkSpec(
  spec: Frozen<ReplicaSetSpec> | undefined,
  old: Frozen<ReplicaSetSpec> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const { template, selector } = spec ?? {}
  checkNotNegative(spec, ['replicas', 'minReadySeconds'], at, errors)
  checkRequiredSelector(selector, at.child('selector'), errors, 'empty selector is invalid for deployment')
  const matcher = validMatcher(selector)
  if (!matcher) return errors.invalid(at.child('selector'), selector, 'invalid label selector')
  checkTemplateLabels(matcher, template, at.child('template'), errors)
  checkPodTemplate(template, at.child('template'), errors, old?.template)
  checkRunsForEver(template, at.child('template'), errors, 'ReplicaSet')
}

/** What controllers of replicas report; ReplicationControllers report the same. */
interface ReplicaStatus {
  readonly replicas?: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly observedGeneration?: number
  readonly terminatingReplicas?: number
}

/** Counts that fit together. */
export function checkReplicaStatus(status: ReplicaStatus, at: FieldPath, errors: FieldErrors): void {
  checkNotNegative(
    status,
    [
      'replicas',
      'fullyLabeledReplicas',
      'readyReplicas',
      'availableReplicas',
      'observedGeneration',
      'terminatingReplicas',
    ],
    at,
    errors,
  )
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  for (const name of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[name] ?? 0
    if (value > replicas) errors.invalid(at.child(name), value, 'cannot be greater than status.replicas')
  }
  if (availableReplicas > readyReplicas)
    errors.invalid(at.child('availableReplicas'), availableReplicas, 'cannot be greater than readyReplicas')
}
