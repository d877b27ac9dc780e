import type { Taint, Toleration } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** Whether a toleration is one for a taint. */
export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Frozen<Toleration>,
  taint: Frozen<Taint>,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  switch (operator) {
    case 'Exists':
      return true
    case 'Equal':
    case '':
      return value === (taint.value ?? '')
    case 'Lt':
    case 'Gt':
      return comparesAs(operator, taint.value ?? '', value)
    default:
      return false
  }
}

function comparesAs(operator: 'Lt' | 'Gt', taint: string, toleration: string): boolean {
  const number = /^(0|-?[1-9]\d*)$/
  if (!number.test(taint) || !number.test(toleration)) return false
  return operator === 'Lt' ? BigInt(taint) < BigInt(toleration) : BigInt(taint) > BigInt(toleration)
}

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
