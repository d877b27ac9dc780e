import { roleBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { roleBindingRow } from './rolebinding-row.ts'

/** What a RoleBinding does. */
export const roleBindingDefinition = defineKind(roleBindings, {
  row: roleBindingRow,
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
})
