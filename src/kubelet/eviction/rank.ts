import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isCritical } from '../pod/containers.ts'
import { podAmounts } from '../pod/resources.ts'

/** A pod and what it uses of what is short. */
export interface Candidate {
  readonly pod: Frozen<Pod>
  readonly used: number
}

/** Who is evicted first: who uses more than it asked for, then lower priority, then who exceeds its request by more. Critical pods are not in the list. Pure. */
export function rankForEviction<One extends Candidate>(candidates: readonly One[], resource: string): One[] {
  const excess = ({ pod, used }: Candidate) => used - (podAmounts(pod, 'requests')[resource] ?? 0)
  const priority = ({ pod }: Candidate) => pod.spec?.priority ?? 0
  return candidates
    .filter(({ pod }) => !isCritical(pod))
    .sort((a, b) => Number(excess(b) > 0) - Number(excess(a) > 0) || priority(a) - priority(b) || excess(b) - excess(a))
}
