import type { Deployment } from '../generated/types/apps-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { selectorText } from '../selector/label-selector.ts'
import { age, containerCells, name } from '../table-format/cells.ts'

/** What `kubectl get deployments` shows. */
export function deploymentRow(deployment: Frozen<Deployment>, nowMs: number): Cell[] {
  const { spec, status } = deployment
  const ready = `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`
  return [
    name(deployment),
    ready,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    age(deployment, nowMs),
    ...containerCells(spec?.template?.spec?.containers),
    selectorText(spec?.selector),
  ]
}
