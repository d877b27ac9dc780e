import { endpointSlices } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an EndpointSlice does. */
export const endpointSliceDefinition = defineKind(endpointSlices, {
})
