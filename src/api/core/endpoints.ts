import { endpoints } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an Endpoints does. */
export const endpointsDefinition = defineKind(endpoints, {
  generation: false,
  createOnUpdate: true,
})
