import type { ResourceQuota } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get resourcequotas` shows: what is used of requests, and of limits. */
export function resourceQuotaRow(quota: Frozen<ResourceQuota>, nowMs: number): Cell[] {
  const hard = quota.status?.hard ?? {}
  const used = (resource: string) => `${resource}: ${quota.status?.used?.[resource] ?? '0'}/${hard[resource]}`
  const resources = Object.keys(hard).sort()
  const isLimit = (resource: string) => resource.startsWith('limits.')
  const requests = resources.filter((resource) => !isLimit(resource))
  return [name(quota), requests.map(used).join(', '), resources.filter(isLimit).map(used).join(', '), age(quota, nowMs)]
}
