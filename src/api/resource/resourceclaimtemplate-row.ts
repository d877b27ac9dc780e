import type { ResourceClaimTemplate } from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get resourceclaimtemplates` shows. */
export const resourceClaimTemplateRow = (object: Frozen<ResourceClaimTemplate>, nowMs: number): Cell[] => [
  name(object),
  age(object, nowMs),
]
