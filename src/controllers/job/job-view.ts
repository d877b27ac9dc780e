import type { Job } from '../../api/generated/types/batch-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { uidOf } from '../../client/object.ts'
import { isActive, isReady, isTerminating } from '../framework/pod.ts'
import { IndexSet } from './index-set.ts'
import { failureCounts, hasFailed, hasLimitPerIndex, indexOf, isIndexed, isTracked } from './job-pods.ts'
import { judgeFailure } from './pod-failure-policy.ts'

type FrozenPod = Frozen<Pod>

/** A Job and its pods, counted: what all decisions are made from. */
export interface JobView {
  readonly job: Frozen<Job>
  readonly pods: readonly FrozenPod[]
  readonly active: readonly FrozenPod[]
  readonly ready: number
  readonly terminating: number
  /** Ended since the status was written, and not in it yet. */
  readonly newlySucceeded: readonly FrozenPod[]
  readonly newlyFailed: readonly FrozenPod[]
  readonly succeeded: number
  readonly failed: number
  readonly succeededIndexes: IndexSet
  /** Only where failures are counted for each index. */
  readonly failedIndexes: IndexSet | undefined
  /** By index: its last failed pod, which is kept until its successor has taken over its count of failures. */
  readonly heldByIndex: ReadonlyMap<number, FrozenPod>
}

type Counted = Omit<JobView, 'heldByIndex'>

/** Counts. */
export function viewOf(job: Frozen<Job>, pods: readonly FrozenPod[]): JobView {
  const active = pods.filter(isActive)
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {}
  const tracked = pods.filter((pod) => isTracked(pod) && (!isIndexed(job) || isInRange(job, pod)))
  const newlySucceeded = tracked.filter(
    (pod) => pod.status?.phase === 'Succeeded' && !succeeded.includes(uidOf(pod)) && !failed.includes(uidOf(pod)),
  )
  const newlyFailed = tracked.filter((pod) => hasFailed(job, pod) && !failed.includes(uidOf(pod)))
  const succeededIndexes = isIndexed(job)
    ? IndexSet.parse(job.status?.completedIndexes, completionsOf(job)).with(
        tracked.filter((pod) => pod.status?.phase === 'Succeeded').map((pod) => indexOf(pod) ?? 0),
      )
    : IndexSet.empty
  const failedIndexes = hasLimitPerIndex(job)
    ? IndexSet.parse(job.status?.failedIndexes, completionsOf(job)).with(
        tracked.filter((pod) => isLastFailure(job, pod)).map((pod) => indexOf(pod) ?? 0),
      )
    : undefined
  const counted: Counted = {
    job,
    pods,
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    newlySucceeded,
    newlyFailed,
    succeeded: isIndexed(job)
      ? succeededIndexes.size
      : (job.status?.succeeded ?? 0) + succeeded.length + newlySucceeded.length,
    failed:
      (job.status?.failed ?? 0) +
      failed.length +
      newlyFailed.filter((pod) => judgeFailure(job.spec?.podFailurePolicy, pod).action !== 'Ignore').length,
    succeededIndexes,
    failedIndexes,
  }
  return { ...counted, heldByIndex: heldPods(counted, tracked) }
}

/** How many completions a Job wants. */
export const completionsOf = (job: Frozen<Job>): number => job.spec?.completions ?? 0

/** Whether a Pod’s index is one of the Job’s. */
export const isInRange = (job: Frozen<Job>, pod: FrozenPod): boolean => {
  const index = indexOf(pod)
  return index !== undefined && index < completionsOf(job)
}

/** With this failure its index has had all its attempts. */
function isLastFailure(job: Frozen<Job>, pod: FrozenPod): boolean {
  if (!hasFailed(job, pod)) return false
  const { action } = judgeFailure(job.spec?.podFailurePolicy, pod)
  if (action === 'FailIndex') return true
  return action !== 'Ignore' && failureCounts(pod).counted >= (job.spec?.backoffLimitPerIndex ?? Infinity)
}

function heldPods(
  { job, active, succeededIndexes: succeeded, failedIndexes: failed }: Counted,
  tracked: readonly FrozenPod[],
): Map<number, FrozenPod> {
  const held = new Map<number, FrozenPod>()
  if (!failed) return held
  const running = new Set(active.map(indexOf))
  const attempts = (pod: FrozenPod) => failureCounts(pod).counted + failureCounts(pod).ignored
  for (const pod of tracked) {
    const index = indexOf(pod)
    if (index === undefined || !hasFailed(job, pod) || succeeded.has(index) || failed.has(index) || running.has(index))
      continue
    const last = held.get(index)
    if (!last || attempts(last) <= attempts(pod)) held.set(index, pod)
  }
  return held
}
