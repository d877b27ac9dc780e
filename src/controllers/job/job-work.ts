import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted } from '../../client/object.ts'
import { rankForDeletion } from '../replicaset/deletion-ranking.ts'
import { waitMs, type FailureRecord } from './job-backoff.ts'
import {
  failureCounts,
  finishedMs,
  hasLimitPerIndex,
  indexOf,
  isIndexed,
  isSuspended,
  newPod,
  replacesOnlyFailed,
  type IndexedPod,
} from './job-pods.ts'
import { completionsOf, type JobView } from './job-view.ts'
import { judgeFailure } from './pod-failure-policy.ts'

type FrozenPod = Frozen<Pod>

/** What to change of a Job that goes on. */
export interface JobPlan {
  readonly create: readonly Frozen<Pod>[]
  readonly remove: readonly FrozenPod[]
  /** Pods would be made, but not before this. */
  readonly waitMs?: number
}

/** No more pods are made or deleted in one go. */
const burst = 500
const nothing: JobPlan = { create: [], remove: [] }

/** As many pods as the Job wants at the same time, and no more than it has completions left. */
export function planWork(view: JobView, record: FailureRecord | undefined, nowMs: number): JobPlan {
  const { job, active, succeeded, terminating } = view
  if (isBeingDeleted(job)) return nothing
  if (isSuspended(job)) return { create: [], remove: active }
  const parallelism = job.spec?.parallelism ?? 1
  const completions = job.spec?.completions
  const wanted =
    completions === undefined
      ? succeeded > 0
        ? active.length
        : parallelism
      : Math.max(0, Math.min(parallelism, completions - succeeded))
  const remove = surplus(view, Math.max(0, active.length - wanted), nowMs)
  if (remove.length > 0) return { create: [], remove: remove.slice(0, burst) }
  const missing = Math.min(burst, wanted - active.length - (replacesOnlyFailed(job) ? terminating : 0))
  if (missing <= 0) return nothing
  const backoffMs = hasLimitPerIndex(job) ? 0 : waitMs(record, nowMs)
  if (backoffMs > 0) return { ...nothing, waitMs: backoffMs }
  if (!isIndexed(job)) return { create: Array.from({ length: missing }, () => newPod(job, undefined)), remove: [] }
  return planIndexes(view, missing, nowMs)
}

/** Pods of indexes that are done or doubled go first; then those that serve least. */
function surplus({ job, active }: JobView, least: number, nowMs: number): FrozenPod[] {
  if (!isIndexed(job)) return rankForDeletion(active, [], nowMs).slice(0, least)
  const remove: FrozenPod[] = []
  const left: FrozenPod[] = []
  const seen = new Set<number>()
  // The best of each index is kept.
  for (const pod of rankForDeletion(active, [], nowMs).reverse()) {
    const index = indexOf(pod)
    if (index === undefined || index >= completionsOf(job) || seen.has(index)) remove.push(pod)
    else {
      seen.add(index)
      left.push(pod)
    }
  }
  return [...remove, ...left.reverse().slice(0, Math.max(0, least - remove.length))]
}

function planIndexes(view: JobView, missing: number, nowMs: number): JobPlan {
  const { job, active, pods, succeededIndexes, failedIndexes, heldByIndex } = view
  const taken = new Set(active.map(indexOf))
  if (replacesOnlyFailed(job))
    for (const pod of pods)
      if (isBeingDeleted(pod) && pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded')
        taken.add(indexOf(pod))
  const indexes: number[] = []
  for (let index = 0; index < completionsOf(job) && indexes.length < missing; index++)
    if (!taken.has(index) && !succeededIndexes.has(index) && !failedIndexes?.has(index)) indexes.push(index)
  if (!failedIndexes) return { create: indexes.map((index) => newPod(job, { index })), remove: [] }

  const waits = new Map(indexes.map((index) => [index, indexWaitMs(heldByIndex.get(index), nowMs)]))
  const now = indexes.filter((index) => waits.get(index) === 0)
  if (now.length === 0 && indexes.length > 0) return { ...nothing, waitMs: Math.min(...waits.values()) }
  return { create: now.map((index) => newPod(job, indexed(view, index))), remove: [] }
}

function indexWaitMs(held: FrozenPod | undefined, nowMs: number): number {
  if (!held) return 0
  const { counted, ignored } = failureCounts(held)
  return waitMs({ failures: counted + ignored + 1, lastMs: finishedMs(held) }, nowMs)
}

function indexed({ job, heldByIndex }: JobView, index: number): IndexedPod {
  const held = heldByIndex.get(index)
  if (!held) return { index, failures: { counted: 0, ignored: 0 } }
  const { counted, ignored } = failureCounts(held)
  const isIgnored = judgeFailure(job.spec?.podFailurePolicy, held).action === 'Ignore'
  return { index, failures: isIgnored ? { counted, ignored: ignored + 1 } : { counted: counted + 1, ignored } }
}
