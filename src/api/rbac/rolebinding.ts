import { roleBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { roleBindingRow } from './rolebinding-row.ts'
import { checkBinding, checkBindingUpdate, defaultBinding } from './rules.ts'

/** What a RoleBinding does. */
export const roleBindingDefinition = defineKind(roleBindings, {
  row: roleBindingRow,
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
  metadata: { onUpdate: 'both' },
  defaults: defaultBinding,
  validate: (binding, errors) => checkBinding(binding, true, errors),
  validateUpdate: (binding, old, errors) => checkBindingUpdate(binding, old, true, errors),
})
