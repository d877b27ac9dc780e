import type { PriorityClass } from '../generated/types/scheduling-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get priorityclasses` shows. */
export const priorityClassRow = (priorityClass: Frozen<PriorityClass>, nowMs: number): Cell[] => [
  name(priorityClass),
  priorityClass.value ?? 0,
  priorityClass.globalDefault ?? false,
  age(priorityClass, nowMs),
  priorityClass.preemptionPolicy ?? '',
]
