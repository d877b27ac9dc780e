import type { RoleBinding } from '../generated/types/rbac-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name, subjectCells } from '../table-format/cells.ts'

/** What `kubectl get rolebindings` shows. */
export const roleBindingRow = (binding: Frozen<RoleBinding>, nowMs: number): Cell[] => [
  name(binding),
  `${binding.roleRef.kind}/${binding.roleRef.name}`,
  age(binding, nowMs),
  ...subjectCells(binding.subjects),
]
