import { cronJobs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a CronJob does. */
export const cronJobDefinition = defineKind(cronJobs, {
  status: true,
})
