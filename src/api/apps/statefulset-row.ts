import type { StatefulSet } from '../generated/types/apps-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, containerCells, name } from '../table-format/cells.ts'

/** What `kubectl get statefulsets` shows. */
export function statefulSetRow(set: Frozen<StatefulSet>, nowMs: number): Cell[] {
  return [
    name(set),
    `${set.status?.readyReplicas ?? 0}/${set.spec?.replicas ?? 0}`,
    age(set, nowMs),
    ...containerCells(set.spec?.template?.spec?.containers),
  ]
}
