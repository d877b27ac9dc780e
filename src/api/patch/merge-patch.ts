import { badRequest } from '../errors/api-error.ts'

type Values = Readonly<Record<string, unknown>>

/** Applies a JSON merge patch (RFC 7386): nulls remove, objects are merged, all else replaces. The result shares what the patch does not touch. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isMap(patch)) throw badRequest('Invalid JSON Patch')
  return merge(document, patch)
}

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

function merge(current: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return withoutNulls(patch)
  if (!isMap(current)) return withoutNulls(patch)
  let out: Record<string, unknown> | undefined
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === null || value === undefined) {
      if (Object.hasOwn(current, name)) delete (out ??= { ...current })[name]
      continue
    }
    const before = Object.hasOwn(current, name) ? current[name] : undefined
    const merged = merge(before, value)
    if (merged !== before) out = set(out ?? { ...current }, name, merged)
  }
  return out ?? current
}

/** A new value without the nulls in it, which would remove what is not there; nulls in lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value))
    return value.some((item) => typeof item === 'object' && item !== null) ? value.map(withoutNulls) : value
  if (!isMap(value)) return value
  const out: Record<string, unknown> = {}
  for (const name of Object.keys(value)) if (value[name] !== null) set(out, name, withoutNulls(value[name]))
  return out
}

/** A plain assignment would call the setter of `__proto__`. */
function set(values: Record<string, unknown>, name: string, value: unknown): Record<string, unknown> {
  if (name === '__proto__')
    Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true })
  else values[name] = value
  return values
}
