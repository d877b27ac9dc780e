import type { VolumeAttributesClass } from '../generated/types/storage-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get volumeattributesclasses` shows. */
export const volumeAttributesClassRow = (attributes: Frozen<VolumeAttributesClass>, nowMs: number): Cell[] => [
  name(attributes),
  attributes.driverName ?? '',
  age(attributes, nowMs),
]
