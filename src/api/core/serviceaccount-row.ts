import type { ServiceAccount } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get serviceaccounts` shows. */
export const serviceAccountRow = (account: Frozen<ServiceAccount>, nowMs: number): Cell[] => [
  name(account),
  age(account, nowMs),
]
