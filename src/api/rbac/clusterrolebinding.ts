import { clusterRoleBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { clusterRoleBindingRow } from './clusterrolebinding-row.ts'

/** What a ClusterRoleBinding does. */
export const clusterRoleBindingDefinition = defineKind(clusterRoleBindings, {
  row: clusterRoleBindingRow,
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
})
