import { jobs, pods } from '../../api/generated/resources.ts'
import type { Job, JobStatus } from '../../api/generated/types/batch-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { controllerOf, isBeingDeleted, labelsOf, nameOf, namespaceOf, timestamp, uidOf } from '../../client/object.ts'
import { candidatesOf } from '../framework/candidates.ts'
import { conditionOf } from '../framework/conditions.ts'
import {
  defineController,
  done,
  ownedBy,
  requeueAfter,
  watch,
  type Context,
  type Outcome,
} from '../framework/controller.ts'
import { withoutZeros } from '../framework/equality.ts'
import { isActive, isReady } from '../framework/pod.ts'
import { selects } from '../../api/selector/label-selector.ts'
import { nextRecord, type FailureRecord } from './job-backoff.ts'
import { completedEnd, conditionAt, deadlineInMs, endOf, isFinished, type JobEnd } from './job-outcome.ts'
import { isIndexed, isSuspended, isTracked, trackingFinalizer } from './job-pods.ts'
import { countReleased, releasePods, track } from './job-tracking.ts'
import { viewOf, type JobView } from './job-view.ts'
import { planWork, type JobPlan } from './job-work.ts'

type FrozenJob = Frozen<Job>
type Status = Frozen<JobStatus>
/** By key of the Job: how its pods failed, to wait longer each time. */
type Memory = Map<string, FailureRecord>
type C = Context<Job, Memory>

/** Index of pods that wait to be counted, by the key of the Job that they name. */
const trackedIndex = 'job/tracked'
const ownName = 'kubernetes.io/job-controller'

/** Runs pods to their end, as many and as often as a Job asks for. */
export const jobController = defineController<Job, Memory>({
  name: 'job-controller',
  reconciles: jobs,
  watches: [
    ownedBy(jobs, pods, { adopts: (job, pod) => selects(job.spec?.selector, labelsOf(pod)) }),
    // Also of Jobs that are gone: their pods' finalizers must go.
    watch(pods, trackedBy),
  ],
  events: [
    'SuccessfulCreate',
    'FailedCreate',
    'SuccessfulDelete',
    'FailedDelete',
    'Suspended',
    'Resumed',
    'Completed',
    'BackoffLimitExceeded',
    'DeadlineExceeded',
    'PodFailurePolicy',
    'FailedIndexes',
    'MaxFailedIndexesExceeded',
    'TooManySucceededPods',
  ],
  parallel: 5,
  memory: () => new Map(),
  setup: (c) => c.of(pods).index(trackedIndex, trackedBy),
  reconcile,
  async gone(key, c) {
    c.memory.delete(key)
    await releaseOrphans(key, undefined, c)
  },
})

function trackedBy(pod: Frozen<Pod>): string[] {
  if (!isTracked(pod)) return []
  const owner = controllerOf(pod)
  if (owner) return owner.kind === 'Job' ? [`${namespaceOf(pod)}/${owner.name}`] : []
  return [`${namespaceOf(pod)}/${labelsOf(pod)['batch.kubernetes.io/job-name'] ?? labelsOf(pod)['job-name'] ?? ''}`]
}

async function reconcile(job: FrozenJob, c: C): Promise<Outcome> {
  const key = `${namespaceOf(job)}/${nameOf(job)}`
  await releaseOrphans(key, job, c)
  if ((job.spec?.managedBy ?? ownName) !== ownName) return done
  if (isFinished(job)) {
    c.memory.delete(key)
    return done
  }
  if (!c.caughtUp(job)) return done
  const own = await c.claim(
    job,
    pods,
    (pod) => selects(job.spec?.selector, labelsOf(pod)),
    // Without its finalizer an adopted pod would never be counted.
    { candidates: candidatesOf(c.of(pods), job), finalizer: trackingFinalizer },
  )
  return advance(viewOf(job, own), key, c)
}

/** One round: work or wind up, then tell, then let counted pods go. */
async function advance(view: JobView, key: string, c: C): Promise<Outcome> {
  const { job } = view
  const nowMs = c.clock.now()
  const record = nextRecord(c.memory.get(key), view.newlySucceeded, view.newlyFailed)
  const started =
    job.status?.startTime !== undefined || isSuspended(job)
      ? job
      : { ...job, status: { ...job.status, startTime: timestamp(nowMs) } }
  const current: JobView = { ...view, job: started }
  const decided = endOf(current, nowMs)
  const plan: JobPlan = decided ? { create: [], remove: view.active } : planWork(current, record, nowMs)

  let failure: unknown
  try {
    await c.createPods(job, plan.create)
    await c.deletePods(job, plan.remove)
  } catch (error) {
    failure = error // thrown on below, when the status has told what is there
  }
  const counts = failure === undefined ? countsAfter(current, plan) : countsFound(current, c)
  // A Job whose pods could not be told to go has not ended yet.
  const end = failure !== undefined ? undefined : (decided ?? completedEnd(current, counts.active))
  const status = withSuspension(job, { ...started.status, ...counts }, end, c)
  await settle({ ...current, terminating: counts.terminating }, status, end, c)
  if (record) c.memory.set(key, record)
  else c.memory.delete(key)
  if (failure !== undefined) throw failure
  const waits = [deadlineInMs(started, nowMs), plan.waitMs].filter((ms) => ms !== undefined)
  return requeueAfter(waits.length > 0 ? Math.max(0, Math.min(...waits)) : undefined)
}

/** The counts after all of the plan was done. */
const countsAfter = ({ active, ready, terminating }: JobView, { create, remove }: JobPlan) => ({
  active: active.length + create.length - remove.length,
  ready: ready - remove.filter(isReady).length,
  terminating: terminating + remove.length,
})

/** The counts after some of the plan was done: what the cache shows by now is the best guess, and the next round knows. */
function countsFound({ terminating, pods: own }: JobView, c: C) {
  const now = own
    .map((pod) => c.of(pods).get({ namespace: namespaceOf(pod), name: nameOf(pod) }) ?? pod)
    .filter(isActive)
  return { active: now.length, ready: now.filter(isReady).length, terminating }
}

/** Says that the Job is suspended or resumed; its time runs anew then. */
function withSuspension(job: FrozenJob, status: Status, end: JobEnd | undefined, c: C): Status {
  if (end || isBeingDeleted(job)) return status
  const condition = conditionOf(status.conditions, 'Suspended')
  const suspended = isSuspended(job)
  if (suspended === (condition?.status === 'True') || (!condition && !suspended)) return status
  const nowMs = c.clock.now()
  const [reason, message, event] = suspended
    ? ['JobSuspended', 'Job suspended', 'Suspended']
    : ['JobResumed', 'Job resumed', 'Resumed']
  c.event(job, 'Normal', event, message)
  const next = conditionAt(nowMs, 'Suspended', suspended ? 'True' : 'False', { reason, message })
  const conditions = [...(status.conditions ?? []).filter(({ type }) => type !== 'Suspended'), next]
  const { startTime: _, ...rest } = status
  return suspended ? { ...rest, conditions } : { ...rest, conditions, startTime: timestamp(nowMs) }
}

/** Writes the status, lets pods go that are noted in it, counts them, and says that the Job has ended when all is counted. */
async function settle(view: JobView, before: Status, end: JobEnd | undefined, c: C): Promise<void> {
  const { job } = view
  const nowMs = c.clock.now()
  const noted = track(view, end ? withFirst(before, end, nowMs) : before, end)
  let current = await c.writeStatus(job, tidy(noted.status))
  const { released, failure } = await releasePods(job, noted.release, c)
  const still = new Set(view.pods.filter((pod) => isTracked(pod) && !released.has(uidOf(pod))).map(uidOf))
  let status = countReleased(noted.status, still, isIndexed(job))
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const over =
    end && failure === undefined && !noted.more && succeeded.length + failed.length === 0 && view.terminating === 0
  if (over) status = finished(status, end, nowMs)
  current = await c.writeStatus(current, tidy(status))
  if (over) tellEnd(current, end, c)
  if (failure !== undefined) throw failure
}

function withFirst(status: Status, end: JobEnd, nowMs: number): Status {
  if (conditionOf(status.conditions, end.first)?.status === 'True') return status
  return { ...status, conditions: [...(status.conditions ?? []), conditionAt(nowMs, end.first, 'True', end)] }
}

function finished(status: Status, end: JobEnd, nowMs: number): Status {
  const complete = end.first === 'SuccessCriteriaMet'
  const condition = conditionAt(nowMs, complete ? 'Complete' : 'Failed', 'True', end)
  return {
    ...status,
    conditions: [...(status.conditions ?? []), condition],
    ...(complete && { completionTime: timestamp(nowMs) }),
  }
}

function tellEnd(job: FrozenJob, end: JobEnd, c: C): void {
  const finishedJobs = c.metrics.counter('job_controller_jobs_finished_total', 'The number of finished jobs')
  const labels = { completion_mode: job.spec?.completionMode ?? 'NonIndexed', reason: end.reason }
  if (end.first === 'SuccessCriteriaMet') {
    const completions = job.spec?.completions
    if (completions !== undefined && (job.status?.succeeded ?? 0) > completions)
      c.event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
    c.event(job, 'Normal', 'Completed', 'Job completed')
    finishedJobs.add({ ...labels, result: 'succeeded' })
  } else {
    c.event(job, 'Warning', end.reason, end.message)
    finishedJobs.add({ ...labels, result: 'failed' })
  }
}

const tidy = (status: Status): Status =>
  withoutZeros(status, ['ready', 'terminating', 'uncountedTerminatedPods', 'failedIndexes'])

/** Pods that name this Job and are not its: of one that is gone, or whose owner was taken off. */
async function releaseOrphans(key: string, job: FrozenJob | undefined, c: C): Promise<void> {
  const orphans = c
    .of(pods)
    .by(trackedIndex, key)
    .filter((pod) => {
      const owner = controllerOf(pod)
      if (!owner) return !job || !selects(job.spec?.selector, labelsOf(pod)) || isBeingDeleted(pod)
      return owner.uid !== (job ? uidOf(job) : undefined)
    })
  if (orphans.length === 0) return
  const { failure } = await releasePods(undefined, orphans, c)
  if (failure !== undefined) throw failure
}
