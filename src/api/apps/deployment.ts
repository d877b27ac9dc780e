import { deployments } from '../generated/resources.ts'
import type { DeploymentSpec, DeploymentStatus, DeploymentStrategy } from '../generated/types/apps-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { keepField } from '../status-metadata.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { immutableText } from '../validation/names.ts'
import {
  checkAtMostAll,
  checkIntOrPercent,
  checkNotDecremented,
  checkNotNegative,
  intOrPercent,
} from '../validation/numbers.ts'
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
import { deploymentRow } from './deployment-row.ts'

/** What a Deployment does. */
export const deploymentDefinition = defineKind(deployments, {
  row: deploymentRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  // Annotations too: they are copied to ReplicaSets.
  generation: (deployment, old) =>
    !equal(deployment.spec, old.spec) || !equal(deployment.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  defaults(deployment) {
    const spec = ensure(deployment, 'spec')
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    const strategy = ensure(spec, 'strategy')
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const rolling = ensure(strategy, 'rollingUpdate')
      rolling.maxUnavailable ??= '25%'
      rolling.maxSurge ??= '25%'
    }
    defaultPodTemplate(ensure(spec, 'template'))
  },
  prepareCreate: ({ spec }) => spec?.template?.spec && dropDisabledFields(spec.template.spec),
  prepareUpdate({ metadata, spec }, old, { subresource }) {
    if (subresource === 'status') keepField(metadata, old.metadata, 'labels')
    else if (spec?.template?.spec) dropDisabledFields(spec.template.spec, old.spec?.template?.spec)
  },
  validate: ({ spec }, errors) => checkSpec(spec, undefined, errors),
  validateUpdate({ spec, status }, old, errors, { subresource }) {
    if (subresource === 'status') return checkStatus(status ?? {}, old.status ?? {}, field('status'), errors)
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
  spec: Frozen<DeploymentSpec> | undefined,
  old: Frozen<DeploymentSpec> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const { template, selector, strategy, progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec ?? {}
  checkNotNegative(spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'], at, errors)
  checkRequiredSelector(selector, at.child('selector'), errors, 'empty selector is invalid for deployment')
  const matcher = validMatcher(selector)
  if (!matcher) errors.invalid(at.child('selector'), selector, 'invalid label selector')
  else {
    checkTemplateLabels(matcher, template, at.child('template'), errors)
    checkPodTemplate(template, at.child('template'), errors, old?.template)
    checkRunsForEver(template, at.child('template'), errors, 'ReplicaSet')
  }
  checkStrategy(strategy ?? {}, at.child('strategy'), errors)
  if (deadline !== undefined && deadline <= minReadySeconds)
    errors.invalid(at.child('progressDeadlineSeconds'), deadline, 'must be greater than minReadySeconds')
}

function checkStrategy(strategy: Frozen<DeploymentStrategy>, at: FieldPath, errors: FieldErrors): void {
  const { type, rollingUpdate } = strategy
  const path = at.child('rollingUpdate')
  if (type === 'Recreate') {
    if (rollingUpdate) errors.forbidden(path, "may not be specified when strategy `type` is 'Recreate'")
  } else if (type !== 'RollingUpdate') errors.notSupported(at, strategy, ['Recreate', 'RollingUpdate'])
  else if (!rollingUpdate) errors.required(path, 'this should be defaulted and never be nil')
  else {
    const { maxUnavailable, maxSurge } = rollingUpdate
    checkIntOrPercent(maxUnavailable, path.child('maxUnavailable'), errors)
    checkIntOrPercent(maxSurge, path.child('maxSurge'), errors)
    if (intOrPercent(maxUnavailable) === 0 && intOrPercent(maxSurge) === 0)
      errors.invalid(path.child('maxUnavailable'), maxUnavailable, 'may not be 0 when `maxSurge` is 0')
    checkAtMostAll(maxUnavailable, path.child('maxUnavailable'), errors)
  }
}

const counts = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
] as const

function checkStatus(
  status: Frozen<DeploymentStatus>,
  old: Frozen<DeploymentStatus>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkNotNegative(status, counts, at, errors)
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  for (const name of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[name] ?? 0
    if (value > replicas) errors.invalid(at.child(name), value, 'cannot be greater than status.replicas')
  }
  if (availableReplicas > readyReplicas)
    errors.invalid(at.child('availableReplicas'), availableReplicas, 'cannot be greater than readyReplicas')
  checkNotDecremented(status.collisionCount, old.collisionCount, at.child('collisionCount'), errors)
}
