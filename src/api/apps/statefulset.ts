import { statefulSets } from '../generated/resources.ts'
import type { StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy } from '../generated/types/apps-v1.ts'
import type { PodTemplateSpec } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkAnnotations, checkLabels } from '../validation/labels.ts'
import { dnsLabelErrors, isLabel, negativeText } from '../validation/names.ts'
import {
  checkAtMostAll,
  checkIntOrPercent,
  checkNotDecremented,
  checkNotNegative,
  intOrPercent,
} from '../validation/numbers.ts'
import { roundAmounts } from '../validation/quantities.ts'
import { checkClaimSpec, defaultClaimSpec } from '../core/persistentvolumeclaim-spec.ts'
import { checkPodAnnotations } from '../core/pod-spec/annotations.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled.ts'
import { rulesOfUpdate } from '../core/pod-spec/rules.ts'
import { checkPodTemplate } from '../core/pod-spec/template.ts'
import { claimWarnings, podWarnings } from '../core/pod-spec/warnings.ts'
import {
  checkRequiredSelector,
  checkRunsForEver,
  checkTemplateLabels,
  validMatcher,
} from '../core/pod-spec/workloads.ts'
import { statefulSetRow } from './statefulset-row.ts'

/** What a StatefulSet does. */
export const statefulSetDefinition = defineKind(statefulSets, {
  row: statefulSetRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  nameErrors: dnsLabelErrors,
  defaults(statefulSet) {
    const spec = ensure(statefulSet, 'spec')
    spec.podManagementPolicy ||= 'OrderedReady'
    const strategy = ensure(spec, 'updateStrategy')
    if (!strategy.type) {
      strategy.type = 'RollingUpdate'
      ensure(strategy, 'rollingUpdate')
    }
    if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0
    const retention = ensure(spec, 'persistentVolumeClaimRetentionPolicy')
    retention.whenDeleted ||= 'Retain'
    retention.whenScaled ||= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    defaultPodTemplate(ensure(spec, 'template'))
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = 'v1'
      claim.kind = 'PersistentVolumeClaim'
      const claimSpec = ensure(claim, 'spec')
      defaultClaimSpec(claimSpec)
      roundAmounts(claimSpec.resources?.limits)
      roundAmounts(claimSpec.resources?.requests)
      ensure(claim, 'status').phase ||= 'Pending'
    }
  },
  prepareCreate: ({ spec }) => spec && dropDisabled(spec),
  prepareUpdate: ({ spec }, old) => spec && dropDisabled(spec, old.spec),
  validate({ spec }, errors) {
    if (spec) checkSpec(spec, errors, {})
  },
  validateUpdate({ spec, status }, old, errors, { subresource }) {
    if (subresource === 'status')
      return checkStatus(status ?? { replicas: 0 }, old.status ?? { replicas: 0 }, field('status'), errors)
    if (!spec || !old.spec) return
    const before = new FieldErrors()
    checkSpec(old.spec, before, { old: old.spec })
    checkSpec(spec, errors, { old: old.spec, anyTemplate: !before.empty })
    const {
      replicas,
      template,
      updateStrategy,
      minReadySeconds,
      ordinals,
      revisionHistoryLimit,
      persistentVolumeClaimRetentionPolicy,
    } = old.spec
    if (
      !equal(
        {
          ...spec,
          replicas,
          template,
          updateStrategy,
          minReadySeconds,
          ordinals,
          revisionHistoryLimit,
          persistentVolumeClaimRetentionPolicy,
        },
        old.spec,
      )
    ) {
      errors.forbidden(
        field('spec'),
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      )
    }
  },
  warnings({ metadata, spec }, old) {
    const changed = !old || metadata.generation !== old.metadata.generation
    const claimAt = (i: number) => field('spec', 'volumeClaimTemplates').index(i)
    return [
      ...(changed ? podWarnings(spec?.template?.spec, spec?.template?.metadata, field('spec', 'template')) : []),
      ...(spec?.volumeClaimTemplates ?? []).flatMap((claim, i) =>
        claimWarnings(claim.spec?.resources, old ? claimAt(i).child('Spec') : claimAt(i)),
      ),
      ...((spec?.revisionHistoryLimit ?? 0) < 0
        ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
        : []),
    ]
  },
})

function dropDisabled(spec: StatefulSetSpec, old?: Frozen<StatefulSetSpec>): void {
  // The feature of several at a time is off by default in v1.35.
  if (old?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined)
    delete spec.updateStrategy?.rollingUpdate?.maxUnavailable
  if (spec.template?.spec) dropDisabledFields(spec.template.spec, old?.template?.spec)
}

interface SpecRules {
  /** The spec before: what cannot change is not told of again. */
  readonly old?: Frozen<StatefulSetSpec>
  /** The old template is invalid already. */
  readonly anyTemplate?: boolean
}

function checkSpec(spec: Frozen<StatefulSetSpec>, errors: FieldErrors, { old, anyTemplate }: SpecRules): void {
  const at = field('spec')
  const {
    podManagementPolicy: policy,
    updateStrategy,
    persistentVolumeClaimRetentionPolicy: retention,
    ordinals,
    serviceName,
    selector,
    template,
  } = spec
  if (!policy) errors.required(at.child('podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    errors.invalid(at.child('podManagementPolicy'), policy, "must be 'OrderedReady' or 'Parallel'")
  checkStrategy(updateStrategy ?? {}, at.child('updateStrategy'), errors)
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    const value = retention?.[name] ?? ''
    if (retention && value !== 'Retain' && value !== 'Delete')
      errors.notSupported(at.child('persistentVolumeClaimRetentionPolicy', name), value, ['Retain', 'Delete'])
  }
  if (!old)
    spec.volumeClaimTemplates?.forEach((claim, i) =>
      checkClaimSpec(claim.spec ?? {}, at.child('volumeClaimTemplates').index(i).child('spec'), errors),
    )
  checkNotNegative(spec, ['replicas', 'minReadySeconds'], at, errors)
  if ((ordinals?.start ?? 0) < 0) errors.invalid(at.child('ordinals.start'), ordinals?.start, negativeText)
  if (!old && serviceName)
    for (const text of isLabel(serviceName)) errors.invalid(at.child('serviceName'), serviceName, text)
  checkRequiredSelector(selector, at.child('selector'), errors, 'empty selector is invalid for statefulset')
  const matcher = validMatcher(selector)
  if (!matcher) errors.invalid(at.child('selector'), selector, '')
  else {
    checkTemplateLabels(matcher, template, at.child('template'), errors)
    checkTemplate(withoutIdentity(spec), at.child('template'), errors, {
      ...(old && { old }),
      ...(anyTemplate && { anyTemplate }),
    })
  }
  checkRunsForEver(template, at.child('template'), errors, 'StatefulSet')
}

function checkTemplate(
  template: Frozen<PodTemplateSpec>,
  at: FieldPath,
  errors: FieldErrors,
  { old, anyTemplate }: SpecRules,
): void {
  if (!anyTemplate) checkPodTemplate(template, at, errors, old?.template)
  // Upstream tells these twice.
  const rules = rulesOfUpdate({ isPod: false }, old?.template?.spec, old?.template?.metadata?.annotations)
  checkLabels(template.metadata?.labels, at.child('labels'), errors)
  checkAnnotations(template.metadata?.annotations, at.child('annotations'), errors)
  checkPodAnnotations(template, at.child('annotations'), errors, rules)
}

/** The template as its Pods will see it: names come from the StatefulSet, and claims are volumes. */
function withoutIdentity({ template, volumeClaimTemplates }: Frozen<StatefulSetSpec>): Frozen<PodTemplateSpec> {
  if (!template?.spec) return template ?? {}
  const { subdomain: _subdomain, hostname: _hostname, ...spec } = template.spec
  if (!volumeClaimTemplates?.length) return { ...template, spec }
  const claims = new Map(
    volumeClaimTemplates.map(({ metadata }) => [
      metadata?.name ?? '',
      { name: metadata?.name ?? '', persistentVolumeClaim: { claimName: metadata?.name ?? '' } },
    ]),
  )
  const own = (spec.volumes ?? []).filter(({ name }) => !claims.has(name))
  return { ...template, spec: { ...spec, volumes: [...claims.values(), ...own] } }
}

function checkStrategy(strategy: Frozen<StatefulSetUpdateStrategy>, at: FieldPath, errors: FieldErrors): void {
  const { type, rollingUpdate } = strategy
  const path = at.child('rollingUpdate')
  if (!type) errors.required(at)
  else if (type === 'OnDelete') {
    if (rollingUpdate) errors.invalid(path, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")
  } else if (type !== 'RollingUpdate') errors.invalid(at, strategy, "must be 'RollingUpdate' or 'OnDelete'")
  else if (rollingUpdate) {
    checkNotNegative(rollingUpdate, ['partition'], path, errors)
    const { maxUnavailable } = rollingUpdate
    if (maxUnavailable === undefined) return
    checkIntOrPercent(maxUnavailable, path.child('maxUnavailable'), errors)
    if (intOrPercent(maxUnavailable) === 0) errors.invalid(path.child('maxUnavailable'), maxUnavailable, 'cannot be 0')
    checkAtMostAll(maxUnavailable, path.child('maxUnavailable'), errors)
  }
}

function checkStatus(
  status: Frozen<StatefulSetStatus>,
  old: Frozen<StatefulSetStatus>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkNotNegative(
    status,
    [
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'availableReplicas',
      'observedGeneration',
      'collisionCount',
    ],
    at,
    errors,
  )
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  for (const name of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    const value = status[name] ?? 0
    if (value > replicas) errors.invalid(at.child(name), value, 'cannot be greater than status.replicas')
  }
  if (availableReplicas > readyReplicas)
    errors.invalid(at.child('availableReplicas'), availableReplicas, 'cannot be greater than status.readyReplicas')
  checkNotDecremented(status.collisionCount, old.collisionCount, at.child('collisionCount'), errors)
}
