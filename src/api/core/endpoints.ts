import { endpoints } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { endpointsRow } from './endpoints-row.ts'

/** What an Endpoints does. */
export const endpointsDefinition = defineKind(endpoints, {
  row: endpointsRow,
  generation: false,
  createOnUpdate: true,
})
