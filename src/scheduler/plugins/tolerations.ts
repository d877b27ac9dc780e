import type { Frozen } from '../../api/resource.ts'
import type { Taint, Toleration } from '../../api/generated/types/core-v1.ts'

/** Whether a toleration covers a taint. */
export function tolerates({ key = '', operator, value = '', effect }: Frozen<Toleration>, taint: Frozen<Taint>): boolean {
  if (effect && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (key === '' && operator !== 'Exists') return false
  return operator === 'Exists' || value === (taint.value ?? '')
}

/** The first of the taints with one of these effects that no toleration covers. */
export const untolerated = (taints: readonly Frozen<Taint>[] | undefined, tolerations: readonly Frozen<Toleration>[] | undefined, effects: readonly string[]): Frozen<Taint> | undefined =>
  taints?.find((taint) => effects.includes(taint.effect) && !tolerations?.some((toleration) => tolerates(toleration, taint)))
