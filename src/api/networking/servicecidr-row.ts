import type { ServiceCIDR } from '../generated/types/networking-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get servicecidrs` shows. */
export const serviceCIDRRow = (cidr: Frozen<ServiceCIDR>, nowMs: number): Cell[] => [
  name(cidr),
  (cidr.spec?.cidrs ?? []).join(','),
  age(cidr, nowMs),
]
