import { eventsV1 } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an Event does. */
export const eventV1Definition = defineKind(eventsV1, {
  generation: false,
  createOnUpdate: true,
})
