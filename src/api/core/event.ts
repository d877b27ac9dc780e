import { events } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an Event does. */
export const eventDefinition = defineKind(events, {
  generation: false,
  createOnUpdate: true,
  fields: {},
})
