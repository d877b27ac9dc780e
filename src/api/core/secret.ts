import { secrets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { secretRow } from './secret-row.ts'

/** What a Secret does. */
export const secretDefinition = defineKind(secrets, {
  row: secretRow,
  generation: false,
  fields: { type: ({ type }) => type ?? '' },
})
