import type { ReplicaSet } from '../generated/types/apps-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, containerCells, name, selectorCell } from '../table-format/cells.ts'

/** What `kubectl get replicasets` shows. */
export function replicaSetRow(replicaSet: Frozen<ReplicaSet>, nowMs: number): Cell[] {
  const { spec, status } = replicaSet
  return [
    name(replicaSet),
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(replicaSet, nowMs),
    ...containerCells(spec?.template?.spec?.containers),
    selectorCell(spec?.selector),
  ]
}
