import type { NetworkPolicy } from '../generated/types/networking-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name, selectorCell } from '../table-format/cells.ts'

/** What `kubectl get networkpolicies` shows. */
export const networkPolicyRow = (policy: Frozen<NetworkPolicy>, nowMs: number): Cell[] => [
  name(policy),
  selectorCell(policy.spec?.podSelector),
  age(policy, nowMs),
]
