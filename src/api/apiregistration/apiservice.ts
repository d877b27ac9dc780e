import { apiServices } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { apiServiceRow } from './apiservice-row.ts'

/** What an APIService does. */
export const apiServiceDefinition = defineKind(apiServices, {
  row: apiServiceRow,
  status: true,
  generation: false,
})
