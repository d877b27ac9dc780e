import type { ConfigMap } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get configmaps` shows. */
export const configMapRow = (map: Frozen<ConfigMap>, nowMs: number): Cell[] => [
  name(map),
  Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length,
  age(map, nowMs),
]
