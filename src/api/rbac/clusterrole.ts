import { clusterRoles } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'

/** What a ClusterRole does. */
export const clusterRoleDefinition = defineKind(clusterRoles, {
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
})
