import type { PriorityLevelConfiguration } from '../generated/types/flowcontrol-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get prioritylevelconfigurations` shows. */
export function priorityLevelConfigurationRow(level: Frozen<PriorityLevelConfiguration>, nowMs: number): Cell[] {
  const limited = level.spec?.limited
  const queuing = limited?.limitResponse?.queuing
  return [
    name(level),
    level.spec?.type ?? '',
    limited ? (limited.nominalConcurrencyShares ?? null) : '<none>',
    queuing ? (queuing.queues ?? 0) : '<none>',
    queuing ? (queuing.handSize ?? 0) : '<none>',
    queuing ? (queuing.queueLengthLimit ?? 0) : '<none>',
    age(level, nowMs),
  ]
}
