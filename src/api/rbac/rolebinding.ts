import { roleBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'

/** What a RoleBinding does. */
export const roleBindingDefinition = defineKind(roleBindings, {
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
})
