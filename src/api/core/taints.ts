import type { Taint, Toleration } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'

type Tolerations = readonly Frozen<Toleration>[] | undefined

/**
 * Whether a toleration is one for a taint: an empty key or effect stands for any. Comparisons of numbers (Lt, Gt) hold for nothing: the feature is off by
 * default, and validation refuses them.
 */
export function tolerates(
  { key = '', operator = '', value = '', effect = '' }: Frozen<Toleration>,
  taint: Frozen<Taint>,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  return (operator === 'Equal' || operator === '') && value === (taint.value ?? '')
}

/** The first of the taints with one of these effects that no toleration is for. */
export const untolerated = (
  taints: readonly Frozen<Taint>[] | undefined,
  tolerations: Tolerations,
  effects: readonly string[],
): Frozen<Taint> | undefined =>
  taints?.find(
    (taint) => effects.includes(taint.effect) && !tolerations?.some((toleration) => tolerates(toleration, taint)),
  )
