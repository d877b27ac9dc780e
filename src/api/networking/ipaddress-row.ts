import type { IPAddress } from '../generated/types/networking-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get ipaddresses` shows; the age has no column, as upstream has it. */
export function ipAddressRow(address: Frozen<IPAddress>, nowMs: number): Cell[] {
  const parent = address.spec?.parentRef
  if (!parent) return [name(address), '<none>', age(address, nowMs)]
  const resource = (parent.group ? `${parent.resource}.${parent.group}` : parent.resource).toLowerCase()
  return [
    name(address),
    `${resource}/${parent.namespace ? `${parent.namespace}/` : ''}${parent.name}`,
    age(address, nowMs),
  ]
}
