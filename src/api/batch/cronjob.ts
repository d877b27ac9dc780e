import { cronJobs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { cronJobRow } from './cronjob-row.ts'

/** What a CronJob does. */
export const cronJobDefinition = defineKind(cronJobs, {
  row: cronJobRow,
  status: true,
})
