import { clusterRoleBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'

/** What a ClusterRoleBinding does. */
export const clusterRoleBindingDefinition = defineKind(clusterRoleBindings, {
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
})
