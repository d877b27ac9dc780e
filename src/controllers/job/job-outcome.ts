import type { Job, JobCondition, SuccessPolicyRule } from '../../api/generated/types/batch-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { msOf, timestamp } from '../../client/object.ts'
import { conditionOf, isTrue } from '../framework/conditions.ts'
import { IndexSet } from './index-set.ts'
import { hasFailed, isIndexed, isSuspended } from './job-pods.ts'
import { completionsOf, type JobView } from './job-view.ts'
import { judgeFailure } from './pod-failure-policy.ts'

/** How a Job ends: first it is said that it will (its pods go), then, when they are gone, that it has. */
export interface JobEnd {
  readonly first: 'FailureTarget' | 'SuccessCriteriaMet'
  readonly reason: string
  readonly message: string
}

/** The Job has ended: nothing is done for it any more. */
export const isFinished = (job: Frozen<Job>): boolean =>
  isTrue(job.status?.conditions, 'Complete') || isTrue(job.status?.conditions, 'Failed')

/** Whether, and how, the Job ends now; not yet by having all its completions, which depends on what runs after this round. */
export function endOf(view: JobView, nowMs: number): JobEnd | undefined {
  return decidedEnd(view.job) ?? policyEnd(view) ?? limitEnd(view, nowMs) ?? indexEnd(view) ?? successPolicyEnd(view)
}

/** What was said before holds. */
function decidedEnd({ status }: Frozen<Job>): JobEnd | undefined {
  for (const first of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = conditionOf(status?.conditions, first)
    if (condition?.status === 'True') return { first, reason: condition.reason ?? '', message: condition.message ?? '' }
  }
  return undefined
}

function policyEnd({ job, pods }: JobView): JobEnd | undefined {
  const policy = job.spec?.podFailurePolicy
  if (!policy) return undefined
  for (const pod of pods) {
    const verdict = hasFailed(job, pod) ? judgeFailure(policy, pod) : undefined
    if (verdict?.message !== undefined)
      return { first: 'FailureTarget', reason: 'PodFailurePolicy', message: verdict.message }
  }
  return undefined
}

function limitEnd(view: JobView, nowMs: number): JobEnd | undefined {
  const { job, failed } = view
  if (failed > (job.spec?.backoffLimit ?? 6) || restartedTooOften(view))
    return {
      first: 'FailureTarget',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    }
  const leftMs = deadlineInMs(job, nowMs)
  return leftMs !== undefined && leftMs <= 0
    ? { first: 'FailureTarget', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
    : undefined
}

/** In how many milliseconds the Job runs out of time; undefined when it has a limitless one. */
export function deadlineInMs(job: Frozen<Job>, nowMs: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds
  if (seconds === undefined || job.status?.startTime === undefined || isSuspended(job)) return undefined
  return msOf(job.status.startTime) + seconds * 1000 - nowMs
}

/** Where containers are restarted in their pods, the restarts are the failures. */
function restartedTooOften({ job, pods }: JobView): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  const limit = job.spec?.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function indexEnd({ job, failedIndexes, succeededIndexes }: JobView): JobEnd | undefined {
  if (!failedIndexes) return undefined
  const most = job.spec?.maxFailedIndexes
  if (most !== undefined && failedIndexes.size > most)
    return {
      first: 'FailureTarget',
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    }
  const all = failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= completionsOf(job)
  return all ? { first: 'FailureTarget', reason: 'FailedIndexes', message: 'Job has failed indexes' } : undefined
}

function successPolicyEnd({ job, succeededIndexes }: JobView): JobEnd | undefined {
  if (!isIndexed(job) || succeededIndexes.size === 0) return undefined
  const index = (job.spec?.successPolicy?.rules ?? []).findIndex((rule) =>
    isMet(rule, succeededIndexes, completionsOf(job)),
  )
  return index === -1
    ? undefined
    : { first: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${index}` }
}

function isMet(
  { succeededIndexes, succeededCount }: Frozen<SuccessPolicyRule>,
  succeeded: IndexSet,
  completions: number,
): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount
  const wanted = IndexSet.parse(succeededIndexes, completions)
  const common = wanted.common(succeeded)
  return wanted.size > 0 && (common === wanted.size || (succeededCount !== undefined && common >= succeededCount))
}

/** The Job has all its completions, and nothing runs any more. */
export function completedEnd({ job, succeeded }: JobView, active: number): JobEnd | undefined {
  const completions = job.spec?.completions
  const complete = active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions)
  return complete
    ? {
        first: 'SuccessCriteriaMet',
        reason: 'CompletionsReached',
        message: 'Reached expected number of succeeded pods',
      }
    : undefined
}

/** A condition that holds from now on. */
export const conditionAt = (
  nowMs: number,
  type: string,
  status: string,
  { reason, message }: { reason: string; message: string },
): Frozen<JobCondition> => ({
  type,
  status,
  lastProbeTime: timestamp(nowMs),
  lastTransitionTime: timestamp(nowMs),
  reason,
  message,
})
