import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '../generated/types/batch-v1.ts'
import { ensure } from '../draft.ts'
import type { Frozen } from '../resource.ts'
import { checkDomainPrefixedPath } from '../validation/domain-paths.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { checkPodTemplate } from '../core/pod-spec/template.ts'
import { podWarnings } from '../core/pod-spec/warnings.ts'
import { parseIndexes } from './indexes.ts'

const indexedParallelismMax = 100_000
const failedIndexesMax = 100_000
/** Above so many completions, other counts must be lower. */
const manyCompletions = 100_000
const whenMany = 10_000
const managedByMax = 63
const failureRulesMax = 20
const exitCodesMax = 255
const conditionPatternsMax = 20
const successRulesMax = 20
const succeededIndexesMax = 64 * 1024

/** What of a job spec a CronJob's template gets too. */
export function defaultJobPolicies(spec: JobSpec): void {
  defaultPodTemplate(ensure(spec, 'template'))
  for (const rule of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
}

/** The rules of a job spec, of a Job or in a CronJob. */
export function checkJobSpec(spec: Frozen<JobSpec>, at: FieldPath, errors: FieldErrors, old?: Frozen<JobSpec>): void {
  checkNotNegative(
    spec,
    [
      'parallelism',
      'completions',
      'activeDeadlineSeconds',
      'backoffLimit',
      'ttlSecondsAfterFinished',
      'backoffLimitPerIndex',
      'maxFailedIndexes',
    ],
    at,
    errors,
  )
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.required(at.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified')
  const { managedBy, completionMode, podFailurePolicy, successPolicy, podReplacementPolicy, template } = spec
  if (managedBy !== undefined) {
    checkDomainPrefixedPath(managedBy, at.child('managedBy'), errors)
    if (managedBy.length > managedByMax) errors.tooLong(at.child('managedBy'), managedByMax)
  }
  if (completionMode !== undefined && completionMode !== 'NonIndexed' && completionMode !== 'Indexed')
    errors.notSupported(at.child('completionMode'), completionMode, ['NonIndexed', 'Indexed'])
  if (completionMode === 'Indexed') checkIndexed(spec, at, errors)
  if (completionMode === undefined || completionMode === 'NonIndexed') {
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      if (spec[name] !== undefined) errors.invalid(at.child(name), spec[name], 'requires indexed completion mode')
  }
  if (podFailurePolicy)
    checkFailureRules(spec, podFailurePolicy.rules ?? [], at.child('podFailurePolicy', 'rules'), errors)
  if (successPolicy) {
    if (completionMode !== 'Indexed')
      errors.invalid(at.child('successPolicy'), successPolicy, 'requires indexed completion mode')
    else checkSuccessRules(successPolicy.rules ?? [], spec.completions ?? 0, at.child('successPolicy', 'rules'), errors)
  }
  const replacements = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  if (podReplacementPolicy !== undefined && !replacements.includes(podReplacementPolicy))
    errors.notSupported(at.child('podReplacementPolicy'), podReplacementPolicy, replacements)
  checkPodTemplate(template, at.child('template'), errors, old?.template)
  checkRestartPolicy(spec, at.child('template', 'spec', 'restartPolicy'), errors)
}

function checkRestartPolicy({ template, podFailurePolicy }: Frozen<JobSpec>, at: FieldPath, errors: FieldErrors): void {
  const policy = template?.spec?.restartPolicy
  if (!policy || policy === 'Always') errors.required(at, 'valid values: "OnFailure", "Never"')
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.notSupported(at, policy, ['OnFailure', 'Never'])
  else if (podFailurePolicy && policy !== 'Never')
    errors.invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')
}

function checkIndexed(
  { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex }: Frozen<JobSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const parallelismAt = at.child('parallelism')
  const failedAt = at.child('maxFailedIndexes')
  if (completions === undefined) errors.required(at.child('completions'), 'when completion mode is Indexed')
  if ((parallelism ?? 0) > indexedParallelismMax)
    errors.invalid(
      parallelismAt,
      parallelism,
      `must be less than or equal to ${indexedParallelismMax} when completion mode is Indexed`,
    )
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions)
    errors.invalid(failedAt, maxFailedIndexes, 'must be less than or equal to completions')
  if ((maxFailedIndexes ?? 0) > failedIndexesMax)
    errors.invalid(failedAt, maxFailedIndexes, `must be less than or equal to ${failedIndexesMax}`)
  if ((completions ?? 0) <= manyCompletions || backoffLimitPerIndex === undefined) return
  const why = `must be less than or equal to ${whenMany} when completions are above ${manyCompletions} and used with backoff limit per index`
  if (maxFailedIndexes === undefined)
    errors.required(failedAt, `must be specified when completions is above ${manyCompletions}`)
  if ((parallelism ?? 0) > whenMany) errors.invalid(parallelismAt, parallelism, why)
  if ((maxFailedIndexes ?? 0) > whenMany) errors.invalid(failedAt, maxFailedIndexes, why)
}

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const listed = (values: readonly string[]) =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`

function checkFailureRules(
  spec: Frozen<JobSpec>,
  rules: Frozen<PodFailurePolicyRule[]>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (rules.length > failureRulesMax) errors.tooMany(at, rules.length, failureRulesMax)
  const containers = new Set(
    [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(
      ({ name }) => name,
    ),
  )
  rules.forEach(({ action, onExitCodes, onPodConditions }, i) => {
    const path = at.index(i)
    if (!action) errors.required(path.child('action'), listed(actions))
    else if (action === 'FailIndex') {
      if (spec.backoffLimitPerIndex === undefined)
        errors.invalid(path.child('action'), action, 'requires the backoffLimitPerIndex to be set')
    } else if (!actions.includes(action)) errors.notSupported(path.child('action'), action, actions)
    if (onExitCodes) checkExitCodes(onExitCodes, containers, path.child('onExitCodes'), errors)
    if (onPodConditions?.length) checkConditions(onPodConditions, path.child('onPodConditions'), errors)
    if (onExitCodes && onPodConditions?.length)
      errors.invalid(path, undefined, 'specifying both OnExitCodes and OnPodConditions is not supported')
    if (!onExitCodes && !onPodConditions?.length)
      errors.invalid(path, undefined, 'specifying one of OnExitCodes and OnPodConditions is required')
  })
}

function checkConditions(
  patterns: Frozen<PodFailurePolicyOnPodConditionsPattern[]>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const statuses = ['False', 'True', 'Unknown']
  if (patterns.length > conditionPatternsMax) errors.tooMany(at, patterns.length, conditionPatternsMax)
  patterns.forEach(({ type = '', status }, i) => {
    for (const text of isQualifiedName(type)) errors.invalid(at.index(i).child('type'), type, text)
    if (!status) errors.required(at.index(i).child('status'), listed(statuses))
    else if (!statuses.includes(status)) errors.notSupported(at.index(i).child('status'), status, statuses)
  })
}

function checkExitCodes(
  codes: Frozen<PodFailurePolicyOnExitCodesRequirement>,
  containers: ReadonlySet<string>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { operator, containerName } = codes
  const values = codes.values ?? []
  const path = at.child('values')
  if (!operator) errors.required(at.child('operator'), listed(['In', 'NotIn']))
  else if (operator !== 'In' && operator !== 'NotIn')
    errors.notSupported(at.child('operator'), operator, ['In', 'NotIn'])
  if (containerName !== undefined && !containers.has(containerName))
    errors.invalid(
      at.child('containerName'),
      containerName,
      'must be one of the container or initContainer names in the pod template',
    )
  if (!values.length) errors.invalid(path, values, 'at least one value is required')
  else if (values.length > exitCodesMax) errors.tooMany(path, values.length, exitCodesMax)
  const seen = new Set<number>()
  values.forEach((value, i) => {
    if (operator === 'In' && value === 0) errors.invalid(path.index(i), value, 'must not be 0 for the In operator')
    if (seen.has(value)) errors.duplicate(path.index(i), value)
    seen.add(value)
  })
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) errors.invalid(path, values, 'must be ordered')
}

function checkSuccessRules(
  rules: Frozen<SuccessPolicyRule[]>,
  completions: number,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!rules.length) errors.required(at, 'at least one rules must be specified when the successPolicy is specified')
  if (rules.length > successRulesMax) errors.tooMany(at, rules.length, successRulesMax)
  rules.forEach((rule, i) => checkSuccessRule(rule, completions, at.index(i), errors))
}

function checkSuccessRule(
  { succeededCount: count, succeededIndexes: indexes }: Frozen<SuccessPolicyRule>,
  completions: number,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (count === undefined && indexes === undefined)
    errors.required(at, 'at least one of succeededCount or succeededIndexes must be specified')
  let total = 0
  if (indexes !== undefined) {
    if (indexes.length > succeededIndexesMax) errors.tooLong(at.child('succeededIndexes'), succeededIndexesMax)
    const parsed = parseIndexes(indexes, completions)
    if (typeof parsed === 'string')
      errors.invalid(at.child('succeededIndexes'), indexes, `error parsing succeededIndexes: ${parsed}`)
    else total = parsed.total
  }
  if (count === undefined) return
  checkNotNegative({ succeededCount: count }, ['succeededCount'], at, errors)
  if (count > completions)
    errors.invalid(
      at.child('succeededCount'),
      count,
      `must be less than or equal to ${completions} (the number of specified completions)`,
    )
  if (indexes !== undefined && count > total)
    errors.invalid(
      at.child('succeededCount'),
      count,
      `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
    )
}

/** Warnings of a job spec, of a Job or in a CronJob. */
export function jobSpecWarnings(spec: Frozen<JobSpec> | undefined, at: FieldPath): string[] {
  const many =
    spec?.completionMode === 'Indexed' &&
    (spec.completions ?? 0) > manyCompletions &&
    (spec.parallelism ?? 0) > whenMany
  const why =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail'
  return [
    ...(many ? [`${at}: ${why}`] : []),
    ...podWarnings(spec?.template?.spec, spec?.template?.metadata, at.child('template')),
  ]
}
