import type { RuntimeClass } from '../generated/types/node-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get runtimeclasses` shows. */
export const runtimeClassRow = (runtimeClass: Frozen<RuntimeClass>, nowMs: number): Cell[] => [
  name(runtimeClass),
  runtimeClass.handler ?? '',
  age(runtimeClass, nowMs),
]
