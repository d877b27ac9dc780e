import { daemonSets } from '../generated/resources.ts'
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from '../generated/types/apps-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { selectsAll } from '../selector/label-selector.ts'
import { checkLabelSelector } from '../validation/labels.ts'
import { immutableText, negativeText } from '../validation/names.ts'
import {
  checkAtMostAll,
  checkIntOrPercent,
  checkNotDecremented,
  checkNotNegative,
  intOrPercent,
} from '../validation/numbers.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled.ts'
import { rulesOfUpdate } from '../core/pod-spec/rules.ts'
import { checkPodTemplate } from '../core/pod-spec/template.ts'
import { podWarnings } from '../core/pod-spec/warnings.ts'
import { checkRunsForEver, checkTemplateLabels, validMatcher } from '../core/pod-spec/workloads.ts'
import { daemonSetRow } from './daemonset-row.ts'

/** Where the template's generation is written: a field of old versions, kept by the server. */
const templateGeneration = 'deprecated.daemonset.template.generation'
const generationOf = ({ metadata }: Frozen<DaemonSet>) => Number(metadata.annotations?.[templateGeneration] ?? 0) || 0

/** What a DaemonSet does. */
export const daemonSetDefinition = defineKind(daemonSets, {
  row: daemonSetRow,
  hiddenAnnotations: [templateGeneration],
  status: true,
  generation: (daemonSet, old) => !equal(daemonSet.spec, old.spec),
  defaults(daemonSet) {
    const spec = ensure(daemonSet, 'spec')
    spec.revisionHistoryLimit ??= 10
    const strategy = ensure(spec, 'updateStrategy')
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const rolling = ensure(strategy, 'rollingUpdate')
      rolling.maxUnavailable ??= 1
      rolling.maxSurge ??= 0
    }
    defaultPodTemplate(ensure(spec, 'template'))
    // Upstream has a field behind it, which is 0 at first: so whoever writes the object owns the annotation.
    ensure(daemonSet.metadata, 'annotations')[templateGeneration] ??= '0'
  },
  prepareCreate(daemonSet) {
    setTemplateGeneration(daemonSet, Math.max(1, generationOf(daemonSet)))
    if (daemonSet.spec?.template?.spec) dropDisabledFields(daemonSet.spec.template.spec)
  },
  prepareUpdate(daemonSet, old, { subresource }) {
    if (daemonSet.spec?.template?.spec) dropDisabledFields(daemonSet.spec.template.spec, old.spec?.template?.spec)
    const changed = !subresource && !equal(daemonSet.spec?.template, old.spec?.template)
    setTemplateGeneration(daemonSet, generationOf(old) + (changed ? 1 : 0))
  },
  validate(daemonSet, errors) {
    checkSpec(daemonSet, undefined, errors)
  },
  validateUpdate(daemonSet, old, errors, { subresource }) {
    const at = field('status')
    if (subresource === 'status') {
      checkNotNegative(daemonSet.status, counts, at, errors)
      return checkNotDecremented(
        daemonSet.status?.collisionCount,
        old.status?.collisionCount,
        at.child('collisionCount'),
        errors,
      )
    }
    if (!equal(daemonSet.spec?.selector, old.spec?.selector))
      errors.invalid(field('spec', 'selector'), daemonSet.spec?.selector, immutableText)
    checkSpec(daemonSet, old.spec, errors)
  },
  warnings(daemonSet, old) {
    if (old && generationOf(daemonSet) === generationOf(old)) return []
    return podWarnings(daemonSet.spec?.template?.spec, daemonSet.spec?.template?.metadata, field('spec', 'template'))
  },
})

const counts = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  ensure(metadata, 'annotations')[templateGeneration] = String(generation)
}

function checkSpec(daemonSet: Frozen<DaemonSet>, old: Frozen<DaemonSetSpec> | undefined, errors: FieldErrors): void {
  const at = field('spec')
  const { template, selector, updateStrategy } = daemonSet.spec ?? {}
  const rules = rulesOfUpdate({ isPod: false }, old?.template?.spec, old?.template?.metadata?.annotations)
  checkLabelSelector(selector, at.child('selector'), errors, rules.anySelectorValue ? { anyValue: true } : {})
  const matcher = validMatcher(selector)
  if (matcher && !matcher.everything) checkTemplateLabels(matcher, template, at.child('template'), errors)
  if (selectsAll(selector)) errors.invalid(at.child('selector'), selector, 'empty selector is invalid for daemonset')
  checkPodTemplate(template, at.child('template'), errors, old?.template)
  checkRunsForEver(template, at.child('template'), errors, 'DaemonSet')
  checkNotNegative(daemonSet.spec, ['minReadySeconds', 'revisionHistoryLimit'], at, errors)
  if (generationOf(daemonSet) < 0) errors.invalid(at.child('templateGeneration'), generationOf(daemonSet), negativeText)
  checkStrategy(updateStrategy ?? {}, at.child('updateStrategy'), errors)
}

function checkStrategy(strategy: Frozen<DaemonSetUpdateStrategy>, at: FieldPath, errors: FieldErrors): void {
  const { type, rollingUpdate } = strategy
  if (type === 'OnDelete') return
  const path = at.child('rollingUpdate')
  if (type !== 'RollingUpdate') return errors.notSupported(at, strategy, ['RollingUpdate', 'OnDelete'])
  if (!rollingUpdate) return errors.required(path)
  const { maxUnavailable, maxSurge } = rollingUpdate
  checkIntOrPercent(maxUnavailable, path.child('maxUnavailable'), errors)
  checkIntOrPercent(maxSurge, path.child('maxSurge'), errors)
  checkAtMostAll(maxUnavailable, path.child('maxUnavailable'), errors)
  checkAtMostAll(maxSurge, path.child('maxSurge'), errors)
  const [unavailable, surge] = [intOrPercent(maxUnavailable), intOrPercent(maxSurge)]
  if (unavailable && surge)
    errors.invalid(path.child('maxSurge'), maxSurge, 'may not be set when maxUnavailable is non-zero')
  if (!unavailable && !surge) errors.required(path.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0')
}
