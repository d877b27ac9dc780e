import type { CSINode } from '../generated/types/storage-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get csinodes` shows. */
export const csiNodeRow = (node: Frozen<CSINode>, nowMs: number): Cell[] => [
  name(node),
  node.spec?.drivers?.length ?? 0,
  age(node, nowMs),
]
