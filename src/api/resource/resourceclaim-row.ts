import type { ResourceClaim } from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get resourceclaims` shows. */
export const resourceClaimRow = (claim: Frozen<ResourceClaim>, nowMs: number): Cell[] => [
  name(claim),
  stateCell(claim),
  age(claim, nowMs),
]

function stateCell({ metadata, status }: Frozen<ResourceClaim>): string {
  const deleted = Boolean(metadata?.deletionTimestamp)
  const states = deleted ? ['deleted'] : status?.allocation ? [] : ['pending']
  if (status?.allocation) states.push('allocated')
  if (status?.allocation && status.reservedFor?.length) states.push('reserved')
  return states.join(',')
}
