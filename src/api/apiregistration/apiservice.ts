import { apiServices } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an APIService does. */
export const apiServiceDefinition = defineKind(apiServices, {
  status: true,
  generation: false,
})
