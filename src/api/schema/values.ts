/** Plain JSON values: freezing, comparing, copying. What JSON cannot hold (functions, dates, undefined in lists) does not occur in API objects. */

/** Freezes an object and all in it. Stops at what is frozen already. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  if (Array.isArray(value)) for (let i = 0; i < value.length; i++) deepFreeze(value[i])
  else for (const key in value) deepFreeze(value[key])
  return value
}

/** Whether two JSON values are equal; an absent property equals an undefined one. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  let count = 0
  for (const key in a) {
    const left = (a as Record<string, unknown>)[key]
    if (left === undefined) continue
    count++
    if (!Object.hasOwn(b, key) || !deepEqual(left, (b as Record<string, unknown>)[key])) return false
  }
  for (const key in b) if ((b as Record<string, unknown>)[key] !== undefined) count--
  return count === 0
}

/** A copy that shares nothing with its original and is not frozen. */
export function deepClone<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const out = value.slice()
    for (let i = 0; i < out.length; i++) out[i] = deepClone(out[i])
    return out as T
  }
  const out = { ...value } as Record<string, unknown>
  for (const key in out) {
    const inner = out[key]
    if (typeof inner === 'object' && inner !== null) out[key] = deepClone(inner)
  }
  return out as T
}
