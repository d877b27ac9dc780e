import { isNotFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Job, JobStatus } from '../../api/generated/types/batch-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { isBeingDeleted, uidOf } from '../../client/object.ts'
import type { Context } from '../framework/controller.ts'
import { hasFailed, indexOf, isIndexed, isTracked, trackingFinalizer } from './job-pods.ts'
import type { JobEnd } from './job-outcome.ts'
import { isInRange, type JobView } from './job-view.ts'
import { judgeFailure } from './pod-failure-policy.ts'

type FrozenPod = Frozen<Pod>
type Status = Frozen<JobStatus>

/** How many pods wait at most in the status for their finalizer to go. */
const uncountedMax = 500

/** The status with the pods that ended noted in it, and the pods whose finalizer may go once it is written. */
export interface Tracked {
  readonly status: Status
  readonly release: readonly FrozenPod[]
  /** There are more pods than could be noted. */
  readonly more: boolean
}

/**
 * Notes ended pods. An ended pod is first noted by its UID in the status, then loses its finalizer, then is counted and its UID dropped:
 * so each is counted exactly once, wherever the controller is stopped in between.
 */
export function track(view: JobView, status: Status, end: JobEnd | undefined): Tracked {
  const { job } = view
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])]
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])]
  const release: FrozenPod[] = []
  const indexes: number[] = []
  let more = false
  const ordered = isIndexed(job) ? [...view.pods].sort((a, b) => (indexOf(a) ?? 0) - (indexOf(b) ?? 0)) : view.pods
  for (const pod of ordered) {
    if (!isTracked(pod) || !mayRelease(view, pod, end)) continue
    if (indexes.length + succeeded.length + failed.length >= uncountedMax) {
      more = true
      break
    }
    release.push(pod)
    const uid = uidOf(pod)
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      if (!isIndexed(job)) {
        if (!succeeded.includes(uid)) succeeded.push(uid)
      } else if (isInRange(job, pod)) indexes.push(indexOf(pod) ?? 0)
    } else if (hasFailed(job, pod) || (end && end.first === 'FailureTarget')) {
      const counts = judgeFailure(job.spec?.podFailurePolicy, pod).action !== 'Ignore'
      if (counts && !failed.includes(uid) && (!isIndexed(job) || isInRange(job, pod))) failed.push(uid)
    }
  }
  const completed = view.succeededIndexes
  return {
    release,
    more,
    status: {
      ...status,
      uncountedTerminatedPods: { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) },
      ...(isIndexed(job) && { succeeded: completed.size, completedIndexes: completed.toString() }),
      ...(view.failedIndexes && { failedIndexes: view.failedIndexes.toString() }),
    },
  }
}

function mayRelease(view: JobView, pod: FrozenPod, end: JobEnd | undefined): boolean {
  const { job } = view
  if (isBeingDeleted(job) || end || pod.status?.phase === 'Succeeded') return true
  if (!hasFailed(job, pod)) return false
  const index = indexOf(pod)
  return index === undefined || view.heldByIndex.get(index) !== pod
}

/** The status with the noted pods counted that have no finalizer any more. */
export function countReleased(status: Status, stillTracked: ReadonlySet<string>, indexed: boolean): Status {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const keep = (uids: readonly string[]) => uids.filter((uid) => stillTracked.has(uid))
  const left = { succeeded: keep(succeeded), failed: keep(failed) }
  return {
    ...status,
    ...(!indexed && { succeeded: (status.succeeded ?? 0) + succeeded.length - left.succeeded.length }),
    failed: (status.failed ?? 0) + failed.length - left.failed.length,
    uncountedTerminatedPods: {
      ...(left.succeeded.length > 0 && { succeeded: left.succeeded }),
      ...(left.failed.length > 0 && { failed: left.failed }),
    },
  }
}

/** Takes the finalizers off. Gives the UIDs of the pods that have none now; throws the first failure after all were tried. */
export async function releasePods(
  job: Frozen<Job> | undefined,
  release: readonly FrozenPod[],
  c: Context<Job>,
): Promise<{ released: Set<string>; failure?: unknown }> {
  const released = new Set<string>()
  const results = await Promise.allSettled(
    release.map(async (pod) => {
      try {
        const patched = await c.client.patch(
          pods,
          keyOf(pod),
          {
            metadata: {
              uid: uidOf(pod),
              finalizers: withoutTracking(pod),
              resourceVersion: pod.metadata.resourceVersion,
            },
          },
          { type: 'merge' },
        )
        if (job) c.wrote(job, pods, patched)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      released.add(uidOf(pod))
    }),
  )
  const failed = results.find((result) => result.status === 'rejected')
  return failed ? { released, failure: failed.reason } : { released }
}

const withoutTracking = (pod: FrozenPod): readonly string[] | null => {
  const left = (pod.metadata.finalizers ?? []).filter((finalizer) => finalizer !== trackingFinalizer)
  return left.length > 0 ? left : null
}
