import { events } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { eventRow } from './event-row.ts'

/** What an Event does. */
export const eventDefinition = defineKind(events, {
  row: eventRow,
  generation: false,
  createOnUpdate: true,
  fields: {},
})
