import { secrets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a Secret does. */
export const secretDefinition = defineKind(secrets, {
  generation: false,
  fields: { type: ({ type }) => type ?? '' },
})
