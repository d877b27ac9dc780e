import { cronJobs } from '../generated/resources.ts'
import type { CronJobSpec } from '../generated/types/batch-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled.ts'
import { hostnameWarnings } from '../core/pod-spec/workloads.ts'
import { isTimeZone, scheduleError } from './cron-schedule.ts'
import { checkJobSpec, defaultJobPolicies, jobSpecWarnings } from './job-spec.ts'
import { cronJobRow } from './cronjob-row.ts'

/** A Job's name is the CronJob's and eleven characters, and may have 63. */
const nameMax = 52

/** What a CronJob does. */
export const cronJobDefinition = defineKind(cronJobs, {
  row: cronJobRow,
  status: true,
  defaults(cronJob) {
    const spec = ensure(cronJob, 'spec')
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
    const template = ensure(spec, 'jobTemplate')
    ensure(template, 'metadata')
    defaultJobPolicies(ensure(template, 'spec'))
  },
  prepareCreate: ({ spec }) =>
    spec?.jobTemplate?.spec?.template?.spec && dropDisabledFields(spec.jobTemplate.spec.template.spec),
  prepareUpdate: ({ spec }, old) =>
    spec?.jobTemplate?.spec?.template?.spec &&
    dropDisabledFields(spec.jobTemplate.spec.template.spec, old.spec?.jobTemplate?.spec?.template?.spec),
  validate({ metadata, spec }, errors) {
    checkSpec(spec, undefined, errors)
    if ((metadata.name?.length ?? 0) > nameMax)
      errors.invalid(field('metadata', 'name'), metadata.name, `must be no more than ${nameMax} characters`)
  },
  validateUpdate({ spec }, old, errors, { subresource }) {
    if (!subresource) checkSpec(spec, old.spec, errors)
  },
  warnings({ metadata, spec }, old) {
    const changed = !old || metadata.generation !== old.metadata.generation
    const zone =
      'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
    return [
      ...(old ? [] : hostnameWarnings(metadata.name)),
      ...(changed ? jobSpecWarnings(spec?.jobTemplate?.spec, field('spec', 'jobTemplate', 'spec')) : []),
      ...(old && spec?.schedule?.includes('TZ') ? [zone] : []),
    ]
  },
})

const policies = ['Allow', 'Forbid', 'Replace']

function checkSpec(
  spec: Frozen<CronJobSpec> | undefined,
  old: Frozen<CronJobSpec> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const { schedule, timeZone, concurrencyPolicy: policy, jobTemplate } = spec ?? {}
  if (!schedule) errors.required(at.child('schedule'))
  else {
    const wrong = scheduleError(schedule)
    if (wrong) errors.invalid(at.child('schedule'), schedule, wrong)
    const zoned = schedule.includes('TZ')
    if (zoned && !old?.schedule?.includes('TZ'))
      errors.invalid(at.child('schedule'), schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
    else if (zoned && timeZone !== undefined)
      errors.invalid(at.child('schedule'), schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule')
  }
  checkNotNegative(
    spec,
    ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'],
    at,
    errors,
  )
  if (!old || old.timeZone !== timeZone) checkTimeZone(timeZone, at.child('timeZone'), errors)
  if (!policy) errors.required(at.child('concurrencyPolicy'))
  else if (!policies.includes(policy)) errors.notSupported(at.child('concurrencyPolicy'), policy, policies)
  const jobAt = at.child('jobTemplate', 'spec')
  const job = jobTemplate?.spec
  if (!job) return
  checkJobSpec(job, jobAt, errors, old?.jobTemplate?.spec)
  if (job.selector) errors.invalid(jobAt.child('selector'), job.selector, '`selector` will be auto-generated')
  if (job.manualSelector) errors.notSupported(jobAt.child('manualSelector'), true, ['nil', 'false'])
}

function checkTimeZone(zone: string | undefined, at: FieldPath, errors: FieldErrors): void {
  if (zone === undefined) return
  if (!zone) return errors.invalid(at, zone, 'timeZone must be nil or non-empty string')
  const spelt = zone
    .split('/')
    .every((part) => part !== '.' && part !== '..' && /^[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}$/.test(part))
  if (!spelt) return errors.invalid(at, zone, `unknown time zone ${zone}`)
  if (zone.toLowerCase() === 'local')
    errors.invalid(at, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')
  if (zone !== 'Local' && !isTimeZone(zone)) errors.invalid(at, zone, `unknown time zone ${zone}`)
}
