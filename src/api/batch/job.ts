import { jobs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a Job does. */
export const jobDefinition = defineKind(jobs, {
  status: true,
  fields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
})
