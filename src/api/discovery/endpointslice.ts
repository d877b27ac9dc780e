import { endpointSlices } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { endpointSliceRow } from './endpointslice-row.ts'

/** What an EndpointSlice does. */
export const endpointSliceDefinition = defineKind(endpointSlices, {
  row: endpointSliceRow,
})
