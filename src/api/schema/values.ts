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

/**
 * `now` with every part that equals the one of `old` in its place being that very part, so that whoever compares them later sees it at once; `old` itself when
 * nothing differs. Neither is changed.
 */
export function shareEqual<T>(old: unknown, now: T): T {
  return sharing(old, now) as T
}

function sharing(old: unknown, now: unknown): unknown {
  if (old === now || typeof now !== 'object' || typeof old !== 'object' || now === null || old === null) return now
  if (Array.isArray(now)) return Array.isArray(old) ? sharingElements(old, now) : now
  return Array.isArray(old) ? now : sharingEntries(old as Entries, now as Entries)
}

type Entries = Readonly<Record<string, unknown>>

function sharingElements(old: readonly unknown[], now: readonly unknown[]): readonly unknown[] {
  let out: unknown[] | undefined
  let same = old.length === now.length
  for (let i = 0; i < now.length; i++) {
    const shared = sharing(old[i], now[i])
    if (shared !== now[i]) (out ??= now.slice())[i] = shared
    same &&= shared === old[i]
  }
  return same ? old : (out ?? now)
}

function sharingEntries(old: Entries, now: Entries): Entries {
  let out: Record<string, unknown> | undefined
  let same = true
  let count = 0
  for (const key in now) {
    const value = now[key]
    if (value === undefined) continue
    count++
    // An object's '__proto__' is no part of it.
    const before = key === '__proto__' ? undefined : old[key]
    const shared = sharing(before, value)
    if (shared !== value) (out ??= { ...now })[key] = shared
    same &&= shared === before
  }
  if (same) for (const key in old) if (old[key] !== undefined) count--
  return same && count === 0 ? old : (out ?? now)
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
