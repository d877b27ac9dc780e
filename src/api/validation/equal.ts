/**
 * Equality as upstream means it: an empty list and an absent one are the same, the order of keys does not count. Decoded objects have canonical quantities
 * and no zero values where absence says the same, so texts and numbers compare as they are.
 */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === undefined || a === null) return b === undefined || b === null || (Array.isArray(b) && b.length === 0)
  if (b === undefined || b === null) return Array.isArray(a) && a.length === 0
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  if (Array.isArray(b)) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key in left) if (!equal(left[key], right[key])) return false
  for (const key in right) if (!(key in left) && !equal(undefined, right[key])) return false
  return true
}
