import { eventsV1 } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { eventV1Row } from './event-row.ts'

/** What an Event does. */
export const eventV1Definition = defineKind(eventsV1, {
  row: eventV1Row,
  generation: false,
  createOnUpdate: true,
})
