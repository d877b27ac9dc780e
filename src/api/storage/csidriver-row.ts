import type { CSIDriver } from '../generated/types/storage-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get csidrivers` shows. */
export function csiDriverRow(driver: Frozen<CSIDriver>, nowMs: number): Cell[] {
  const { spec } = driver
  const tokens = spec?.tokenRequests ? spec.tokenRequests.map(({ audience }) => audience).join(',') : '<unset>'
  return [
    name(driver),
    spec?.attachRequired ?? true,
    spec?.podInfoOnMount ?? false,
    spec?.storageCapacity ?? false,
    tokens,
    spec?.requiresRepublish ?? false,
    (spec?.volumeLifecycleModes ?? []).join(',') || '<none>',
    age(driver, nowMs),
  ]
}
