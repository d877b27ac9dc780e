import { clusterRoleBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { clusterRoleBindingRow } from './clusterrolebinding-row.ts'
import { checkBinding, checkBindingUpdate, defaultBinding } from './rules.ts'

/** What a ClusterRoleBinding does. */
export const clusterRoleBindingDefinition = defineKind(clusterRoleBindings, {
  row: clusterRoleBindingRow,
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
  metadata: { onUpdate: 'both' },
  defaults: defaultBinding,
  validate: (binding, errors) => checkBinding(binding, false, errors),
  validateUpdate: (binding, old, errors) => checkBindingUpdate(binding, old, false, errors),
})
