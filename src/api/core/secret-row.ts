import type { Secret } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get secrets` shows. */
export const secretRow = (secret: Frozen<Secret>, nowMs: number): Cell[] => [
  name(secret),
  secret.type ?? '',
  Object.keys(secret.data ?? {}).length,
  age(secret, nowMs),
]
