import type { DaemonSet } from '../generated/types/apps-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, containerCells, labelCell, name, selectorCell } from '../table-format/cells.ts'

/** What `kubectl get daemonsets` shows. */
export function daemonSetRow(set: Frozen<DaemonSet>, nowMs: number): Cell[] {
  const { spec, status } = set
  const pod = spec?.template?.spec
  const counts = [
    status?.desiredNumberScheduled,
    status?.currentNumberScheduled,
    status?.numberReady,
    status?.updatedNumberScheduled,
    status?.numberAvailable,
  ].map((count) => count ?? 0)
  return [
    name(set),
    ...counts,
    labelCell(pod?.nodeSelector),
    age(set, nowMs),
    ...containerCells(pod?.containers),
    selectorCell(spec?.selector),
  ]
}
