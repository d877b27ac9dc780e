import type { ReplicationController } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, containerCells, labelCell, name } from '../table-format/cells.ts'

/** What `kubectl get replicationcontrollers` shows. */
export function replicationControllerRow(controller: Frozen<ReplicationController>, nowMs: number): Cell[] {
  const { spec, status } = controller
  return [
    name(controller),
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(controller, nowMs),
    ...containerCells(spec?.template?.spec?.containers),
    labelCell(spec?.selector),
  ]
}
