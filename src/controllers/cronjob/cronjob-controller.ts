import { isAlreadyExists, isNotFound } from '../../api/errors/api-error.ts'
import { cronJobs, jobs } from '../../api/generated/resources.ts'
import type { CronJob, CronJobStatus, Job } from '../../api/generated/types/batch-v1.ts'
import type { ObjectReference } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import {
  controllerReference,
  isBeingDeleted,
  isControlledBy,
  msOf,
  nameOf,
  namespaceOf,
  timestamp,
  uidOf,
} from '../../client/object.ts'
import { isTrue } from '../framework/conditions.ts'
import { isNamespaceTerminating, messageOf } from '../framework/context.ts'
import { defineController, done, ownedBy, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { isFinished } from '../job/job-outcome.ts'
import { isTimeZone, missedSince, parseSchedule, type Schedule } from './schedule.ts'

type FrozenCron = Frozen<CronJob>
type FrozenJob = Frozen<Job>
type Status = Frozen<CronJobStatus>
type C = Context<CronJob>

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** Clocks of the server and of ours may differ a little. */
const skewMs = 100

/** Makes a Job each time a CronJob's schedule says so. */
export const cronJobController = defineController<CronJob>({
  name: 'cronjob-controller',
  reconciles: cronJobs,
  watches: [ownedBy(cronJobs, jobs)],
  events: [
    'SuccessfulCreate',
    'FailedCreate',
    'SuccessfulDelete',
    'FailedDelete',
    'SawCompletedJob',
    'UnexpectedJob',
    'MissingJob',
    'UnparseableSchedule',
    'UnsupportedSchedule',
    'UnknownTimeZone',
    'MissSchedule',
    'TooManyMissedTimes',
    'JobAlreadyActive',
  ],
  parallel: 5,
  reconcile,
})

async function reconcile(cron: FrozenCron, c: C): Promise<Outcome> {
  if (!c.caughtUp(cron)) return done
  const own = c
    .of(jobs)
    .ownedBy(uidOf(cron))
    .filter((job) => isControlledBy(job, cron))
  const seen = await statusOf(cron, own, c)
  const current = await c.writeStatus(cron, seen)
  await trimHistory(cron, own, c)
  if (isBeingDeleted(cron) || cron.spec?.suspend) return done
  const schedule = scheduleOf(cron, c)
  if (!schedule) return done
  const due = dueMs(cron, schedule, c)
  if (due !== undefined) {
    const { started, replaced } = await start(current, due, own, c)
    const active = (current.status?.active ?? []).filter(({ uid = '' }) => !replaced.has(uid))
    if (started ?? replaced.size > 0)
      await c.writeStatus(current, {
        ...current.status,
        active: started ? [...active, started] : active,
        ...(started && { lastScheduleTime: timestamp(due) }),
      })
  }
  return requeueAfter(nextInMs(schedule, c.clock.now()))
}

const nextInMs = (schedule: Schedule, nowMs: number): number | undefined => {
  const next = schedule.next(nowMs)
  return next === undefined ? undefined : next - nowMs + skewMs
}

/** Which of its Jobs still run, and when one last succeeded. */
async function statusOf(cron: FrozenCron, own: readonly FrozenJob[], c: C): Promise<Status> {
  let active = [...(cron.status?.active ?? [])]
  let lastSuccessfulTime = cron.status?.lastSuccessfulTime
  for (const job of own) {
    const known = active.some(({ uid }) => uid === uidOf(job))
    if (known && isFinished(job)) {
      active = active.filter(({ uid }) => uid !== uidOf(job))
      c.event(
        cron,
        'Normal',
        'SawCompletedJob',
        `Saw completed job: ${nameOf(job)}, condition: ${isTrue(job.status?.conditions, 'Complete') ? 'Complete' : 'Failed'}`,
      )
    } else if (!known && !isFinished(job)) {
      c.event(
        cron,
        'Warning',
        'UnexpectedJob',
        `Saw a job that the controller did not create or forgot: ${nameOf(job)}`,
      )
    }
    const completed = isTrue(job.status?.conditions, 'Complete') ? job.status?.completionTime : undefined
    if (completed && (!lastSuccessfulTime || msOf(completed) > msOf(lastSuccessfulTime))) lastSuccessfulTime = completed
  }
  const there: Frozen<ObjectReference>[] = []
  for (const reference of active) if (await isThere(cron, reference, own, c)) there.push(reference)
  const { active: _, ...rest } = cron.status ?? {}
  return { ...rest, ...(there.length > 0 && { active: there }), ...(lastSuccessfulTime && { lastSuccessfulTime }) }
}

async function isThere(
  cron: FrozenCron,
  { name = '', uid }: Frozen<ObjectReference>,
  own: readonly FrozenJob[],
  c: C,
): Promise<boolean> {
  if (own.some((job) => uidOf(job) === uid)) return true
  try {
    return uidOf(await c.client.get(jobs, { namespace: namespaceOf(cron), name })) === uid
  } catch (error) {
    if (!isNotFound(error)) throw error
    c.event(cron, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
    return false
  }
}

/** The schedule; undefined when it cannot be read, which is told. */
function scheduleOf(cron: FrozenCron, c: C): Schedule | undefined {
  const { schedule = '', timeZone } = cron.spec ?? {}
  // New ones are refused; those of older clusters go on.
  if (schedule.includes('TZ'))
    c.event(
      cron,
      'Warning',
      'UnsupportedSchedule',
      `CRON_TZ or TZ used in schedule "${schedule}" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`,
    )
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    c.event(cron, 'Warning', 'UnknownTimeZone', `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`)
    return undefined
  }
  try {
    return parseSchedule(schedule, timeZone)
  } catch (error) {
    c.event(cron, 'Warning', 'UnparseableSchedule', `unparseable schedule: "${schedule}" : ${messageOf(error)}`)
    return undefined
  }
}

/** The time that is to be acted on now; undefined: none. */
function dueMs(cron: FrozenCron, schedule: Schedule, c: C): number | undefined {
  const nowMs = c.clock.now()
  const deadlineSeconds = cron.spec?.startingDeadlineSeconds
  const since = cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp
  const sinceMs = since ? msOf(since) : nowMs
  const fromMs = deadlineSeconds === undefined ? sinceMs : Math.max(sinceMs, nowMs - deadlineSeconds * 1000)
  if (fromMs > nowMs) return undefined
  const { lastMs, many } = missedSince(schedule, fromMs, nowMs)
  if (many)
    c.event(
      cron,
      'Warning',
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    )
  if (lastMs === undefined) return undefined
  if (deadlineSeconds !== undefined && lastMs + deadlineSeconds * 1000 < nowMs) {
    c.event(cron, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${timestamp(lastMs)}`)
    return undefined
  }
  // It was acted on, and this is only not shown yet.
  if (cron.status?.lastScheduleTime === timestamp(lastMs)) return undefined
  return lastMs
}

/** What came of a time of the schedule. */
interface Started {
  readonly started?: Frozen<ObjectReference>
  /** UIDs of the Jobs that had to go for it. */
  readonly replaced: ReadonlySet<string>
}
const nothing: Started = { replaced: new Set() }

/** Starts the Job of a time, unless one that runs is in the way. */
async function start(cron: FrozenCron, due: number, own: readonly FrozenJob[], c: C): Promise<Started> {
  const name = `${nameOf(cron)}-${Math.floor(due / 60_000)}`
  const running = own.filter((job) => !isFinished(job))
  if (running.some((job) => nameOf(job) === name)) return nothing
  const policy = cron.spec?.concurrencyPolicy ?? 'Allow'
  if (policy === 'Forbid' && (cron.status?.active ?? []).length > 0) {
    c.event(
      cron,
      'Normal',
      'JobAlreadyActive',
      'Not starting job because prior execution is running and concurrency policy is Forbid',
    )
    return nothing
  }
  const inTheWay = policy === 'Replace' ? running : []
  for (const job of inTheWay) await remove(cron, job, c)
  const started = await create(cron, name, due, c)
  return { ...(started && { started }), replaced: new Set(inTheWay.map(uidOf)) }
}

async function create(cron: FrozenCron, name: string, due: number, c: C): Promise<Frozen<ObjectReference> | undefined> {
  try {
    const job = await c.client.create(jobs, newJob(cron, name, due))
    c.wrote(cron, jobs, job)
    c.event(cron, 'Normal', 'SuccessfulCreate', `Created job ${nameOf(job)}`)
    c.metrics
      .histogram(
        'cronjob_controller_job_creation_skew_duration_seconds',
        'Time between when a cronjob is scheduled to be run, and when the corresponding job is created',
        [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      )
      .observe((c.clock.now() - due) / 1000)
    return referenceTo(job)
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    if (!isAlreadyExists(error)) {
      c.event(cron, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
      throw error
    }
    const there = await c.client.get(jobs, { namespace: namespaceOf(cron), name })
    return isControlledBy(there, cron) && !isFinished(there) ? referenceTo(there) : undefined
  }
}

const referenceTo = (job: FrozenJob): Frozen<ObjectReference> => ({
  kind: 'Job',
  apiVersion: 'batch/v1',
  namespace: namespaceOf(job),
  name: nameOf(job),
  uid: uidOf(job),
  ...(job.metadata.resourceVersion && { resourceVersion: job.metadata.resourceVersion }),
})

function newJob(cron: FrozenCron, name: string, due: number): FrozenJob {
  const template = cron.spec?.jobTemplate
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: namespaceOf(cron),
      labels: template?.metadata?.labels ?? {},
      annotations: { ...template?.metadata?.annotations, [scheduledAnnotation]: zoned(due, cron.spec?.timeZone) },
      ownerReferences: [controllerReference(cronJobs, cron)],
    },
    ...(template?.spec && { spec: template.spec }),
  }
}

/** RFC 3339 in the CronJob's time zone. */
function zoned(ms: number, timeZone: string | undefined): string {
  if (!timeZone || timeZone === 'UTC') return timestamp(ms)
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    timeZoneName: 'longOffset',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(ms)
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? ''
  const offset = of('timeZoneName').replace(/^GMT|−/g, (text) => (text === '−' ? '-' : ''))
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}:${of('second')}${offset === '' ? 'Z' : offset}`
}

async function remove(cron: FrozenCron, job: FrozenJob, c: C): Promise<void> {
  try {
    await c.remove(cron, jobs, job, { propagationPolicy: 'Background' })
    c.event(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${nameOf(job)}`)
  } catch (error) {
    if (isNotFound(error)) return
    c.event(cron, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
    throw error
  }
}

/** Deletes finished Jobs beyond those that are kept. */
async function trimHistory(cron: FrozenCron, own: readonly FrozenJob[], c: C): Promise<void> {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec ?? {}
  const startedMs = (job: FrozenJob) =>
    msOf(job.status?.startTime ?? job.metadata.creationTimestamp ?? '1970-01-01T00:00:00Z')
  for (const [type, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    const ended = own
      .filter((job) => isTrue(job.status?.conditions, type) && !isBeingDeleted(job))
      .sort((a, b) => startedMs(a) - startedMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1))
    for (const job of ended.slice(0, Math.max(0, ended.length - limit))) await remove(cron, job, c)
  }
}
