/**
 * Whether two JSON values mean the same to the API: a field that is absent, null, an empty list or an empty map of labels is all the same,
 * since the server stores none of them. So is zero, which upstream's encoding leaves out of statuses.
 */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isNothing(a) && isNothing(b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]))
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key in left) if (!same(left[key], right[key])) return false
  for (const key in right) if (!(key in left) && !isNothing(right[key])) return false
  return true
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === 0 ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0)

/** The object without its fields that are absent, zero, false or empty, except those to keep: as upstream writes fields that are marked to be left out when empty. */
export function withoutZeros<T extends object>(object: T, keep: readonly (keyof T)[] = []): T {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([key, value]) => (value !== undefined && keep.includes(key as keyof T)) || !isNothing(value),
    ),
  ) as T
}

/** JSON with sorted keys and without what is absent: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const object = value as Record<string, unknown>
  const fields = Object.keys(object).filter((key) => object[key] !== undefined && object[key] !== null)
  return `{${fields
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key])}`)
    .join(',')}}`
}
