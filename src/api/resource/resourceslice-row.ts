import type { ResourceSlice } from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get resourceslices` shows. */
export const resourceSliceRow = (slice: Frozen<ResourceSlice>, nowMs: number): Cell[] => [
  name(slice),
  slice.spec?.nodeName ?? '',
  slice.spec?.driver ?? '',
  slice.spec?.pool?.name ?? '',
  age(slice, nowMs),
]
