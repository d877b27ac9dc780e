import type { Lease } from '../generated/types/coordination-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get leases` shows. */
export const leaseRow = (lease: Frozen<Lease>, nowMs: number): Cell[] => [
  name(lease),
  lease.spec?.holderIdentity ?? '',
  age(lease, nowMs),
]
