import type { Job, JobStatus } from '../generated/types/batch-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { immutableText } from '../validation/names.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { overlapOf, parseIndexes } from './indexes.ts'

const isTrue = (job: Frozen<Job>, type: string, status = 'True') =>
  !!job.status?.conditions?.some((condition) => condition.type === type && condition.status === status)

/** What a controller of Jobs may say. A rule is told of only when what it is about changed: old sins do not block other updates. */
export function checkJobStatus(job: Frozen<Job>, old: Frozen<Job>, errors: FieldErrors): void {
  const at = field('status')
  const status = job.status ?? {}
  const before = old.status ?? {}
  checkNotNegative(status, ['active', 'succeeded', 'failed', 'ready', 'terminating'], at, errors)
  checkUncounted(status, at.child('uncountedTerminatedPods'), errors)
  checkConditions(job, old, at.child('conditions'), errors)
  checkTimes(job, old, at, errors)
  checkFinished(job, old, at, errors)
  checkIndexes(job, old, at, errors)
  const changed = (name: keyof JobStatus) => !equal(status[name], before[name])
  if ((changed('ready') || changed('active')) && (status.ready ?? 0) > (status.active ?? 0))
    errors.invalid(at.child('ready'), status.ready, 'cannot set more ready pods than active')
  if ((status.failed ?? 0) < (before.failed ?? 0))
    errors.invalid(at.child('failed'), status.failed ?? 0, 'cannot decrease the failed counter')
  const elastic = job.spec?.completionMode === 'Indexed' && job.spec.completions === job.spec.parallelism
  if (!elastic && (status.succeeded ?? 0) < (before.succeeded ?? 0))
    errors.invalid(at.child('succeeded'), status.succeeded ?? 0, 'cannot decrease the succeeded counter')
}

function checkUncounted(
  { uncountedTerminatedPods: pods }: Frozen<JobStatus>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const seen = new Set<string>()
  for (const name of ['succeeded', 'failed'] as const) {
    pods?.[name]?.forEach((uid, i) => {
      if (!uid) errors.invalid(at.child(name).index(i), uid, 'must not be empty')
      else if (seen.has(uid)) errors.duplicate(at.child(name).index(i), uid)
      seen.add(uid)
    })
  }
}

function checkConditions(job: Frozen<Job>, old: Frozen<Job>, at: FieldPath, errors: FieldErrors): void {
  const refuse = (why: string) => errors.invalid(at, undefined, why)
  const changed = (type: string) => isTrue(job, type) !== isTrue(old, type)
  const [complete, failed, failing, met] = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'].map((type) =>
    isTrue(job, type),
  )
  if ((changed('Complete') || changed('Failed')) && complete && failed)
    refuse('cannot set Complete=True and Failed=true conditions')
  if ((changed('Complete') || changed('FailureTarget')) && complete && failing)
    refuse('cannot set Complete=True and FailureTarget=true conditions')
  const failedIndexesChanged = job.status?.failedIndexes !== old.status?.failedIndexes
  if ((changed('Failed') || failedIndexesChanged) && failed && !failing)
    refuse('cannot set Failed=True condition without the FailureTarget=true condition')
  if ((changed('Complete') || changed('SuccessCriteriaMet')) && complete && !met)
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  if (met && failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions')
  if (met && failing) refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  if (job.spec?.successPolicy && !met && complete)
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')
  for (const type of ['Failed', 'Complete', 'FailureTarget'])
    if (isTrue(old, type) && !isTrue(job, type)) refuse(`cannot disable the terminal ${type}=True condition`)
  if (isTrue(old, 'SuccessCriteriaMet') && !met) refuse('cannot disable the SuccessCriteriaMet=True condition')
  if (isTrue(old, 'Complete') && !isTrue(old, 'SuccessCriteriaMet') && met)
    refuse('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')
}

const isFinished = (job: Frozen<Job>) => isTrue(job, 'Complete') || isTrue(job, 'Failed')

function checkTimes(job: Frozen<Job>, old: Frozen<Job>, at: FieldPath, errors: FieldErrors): void {
  const { startTime: start, completionTime: end } = job.status ?? {}
  const before = old.status ?? {}
  const complete = isTrue(job, 'Complete')
  const startChanged = start !== before.startTime
  const endChanged = end !== before.completionTime
  if (complete !== isTrue(old, 'Complete') || endChanged) {
    if (end !== undefined && !complete)
      errors.invalid(
        at.child('completionTime'),
        end,
        'cannot set completionTime when there is no Complete=True condition',
      )
    if (end === undefined && complete)
      errors.required(at.child('completionTime'), 'completionTime is required for Complete jobs')
  }
  if ((startChanged || endChanged) && start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start))
    errors.invalid(at.child('completionTime'), end, 'must be equal to or after `startTime`')
  if (end !== undefined && before.completionTime !== undefined && endChanged)
    errors.invalid(at.child('completionTime'), end, immutableText)
  const resuming = isTrue(old, 'Suspended') && isTrue(job, 'Suspended', 'False')
  if (startChanged && !resuming && before.startTime !== undefined && !job.spec?.suspend)
    errors.required(at.child('startTime'), 'startTime cannot be removed for unsuspended job')
}

function checkFinished(job: Frozen<Job>, old: Frozen<Job>, at: FieldPath, errors: FieldErrors): void {
  if (!isFinished(job)) return
  const status = job.status ?? {}
  const before = old.status ?? {}
  const newly = !isFinished(old)
  const changed = (name: keyof JobStatus) => newly || !equal(status[name], before[name])
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = status
  if (changed('active') && active > 0)
    errors.invalid(at.child('active'), active, 'active>0 is invalid for finished job')
  const neverStarted = job.spec?.suspend && job.spec.completions === 0
  if (changed('startTime') && !neverStarted && startTime === undefined)
    errors.required(at.child('startTime'), 'startTime is required for finished job')
  if (changed('uncountedTerminatedPods') && (uncounted?.failed?.length || uncounted?.succeeded?.length))
    errors.invalid(at.child('uncountedTerminatedPods'), uncounted, 'must be empty for finished job')
  if (changed('terminating') && terminating > 0)
    errors.invalid(at.child('terminating'), terminating, 'terminating>0 is invalid for finished job')
}

function checkIndexes(job: Frozen<Job>, old: Frozen<Job>, at: FieldPath, errors: FieldErrors): void {
  const { completedIndexes: completed = '', failedIndexes: failed } = job.status ?? {}
  const { completions, backoffLimitPerIndex, completionMode } = job.spec ?? {}
  const completedChanged = completed !== (old.status?.completedIndexes ?? '')
  const failedChanged = failed !== old.status?.failedIndexes
  const parse = (name: string, text: string) => {
    const parsed = parseIndexes(text, completions ?? 0)
    if (typeof parsed === 'string') errors.invalid(at.child(name), text, `error parsing ${name}: ${parsed}`)
  }
  if (completedChanged && completions !== undefined) parse('completedIndexes', completed)
  if (failedChanged && completions !== undefined && backoffLimitPerIndex !== undefined && failed !== undefined)
    parse('failedIndexes', failed)
  if (completedChanged && completed && completionMode !== 'Indexed')
    errors.invalid(
      at.child('completedIndexes'),
      completed,
      'cannot set non-empty completedIndexes when non-indexed completion mode',
    )
  if (failedChanged && failed !== undefined && backoffLimitPerIndex === undefined)
    errors.invalid(
      at.child('failedIndexes'),
      failed,
      'cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    )
  if ((completedChanged || failedChanged) && completions !== undefined && failed !== undefined) {
    const both = overlapOf(completed, failed, completions)
    if (both !== undefined)
      errors.invalid(at.child('failedIndexes'), failed, `failedIndexes and completedIndexes overlap at index: ${both}`)
  }
}
