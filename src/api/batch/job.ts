import { jobs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { jobRow } from './job-row.ts'

/** What a Job does. */
export const jobDefinition = defineKind(jobs, {
  row: jobRow,
  status: true,
  fields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
})
