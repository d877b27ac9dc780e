import type { ClusterRoleBinding } from '../generated/types/rbac-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name, subjectCells } from '../table-format/cells.ts'

/** What `kubectl get clusterrolebindings` shows. */
export const clusterRoleBindingRow = (binding: Frozen<ClusterRoleBinding>, nowMs: number): Cell[] => [
  name(binding),
  `${binding.roleRef.kind}/${binding.roleRef.name}`,
  age(binding, nowMs),
  ...subjectCells(binding.subjects),
]
