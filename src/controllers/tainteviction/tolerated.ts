import type { Taint, Toleration } from '../../api/generated/types/core-v1.ts'
import { tolerates } from '../../api/core/taints.ts'
import type { Frozen } from '../../api/resource.ts'

/** For how long a pod may stay under these NoExecute taints: 0 not at all, Infinity for ever. */
export function toleratedMs(taints: readonly Frozen<Taint>[], tolerations: readonly Frozen<Toleration>[]): number {
  let seconds = Infinity
  for (const taint of taints) {
    const used = tolerations.filter((toleration) => tolerates(toleration, taint))
    if (used.length === 0) return 0
    for (const { tolerationSeconds } of used)
      if (tolerationSeconds !== undefined) seconds = Math.min(seconds, Math.max(0, tolerationSeconds))
  }
  return seconds * 1000
}
