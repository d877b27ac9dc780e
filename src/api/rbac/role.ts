import { roles } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'

/** What a Role does. */
export const roleDefinition = defineKind(roles, {
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
})
