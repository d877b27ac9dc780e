/** What stands in a strategic merge patch besides values. */

/** A JSON object in a patch. */
export type Values = Readonly<Record<string, unknown>>

/** The keys by which a strategic merge patch says more than values. */
export const directive = '$patch'
export const retainKeys = '$retainKeys'
export const deleteListPrefix = '$deleteFromPrimitiveList'
export const orderPrefix = '$setElementOrder'

/** True for an object, as opposed to a list, a scalar or null. */
export const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value in an error's text, at most this long: patches may be megabytes. */
const shownMax = 200

/** How errors show a value. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

/** A value that is new to the object: without nulls, which would remove what is not there, and without directives. Undefined when it is a directive itself. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value))
    return value.some((item) => typeof item === 'object' && item !== null)
      ? value.map(withoutDirectives).filter((item) => item !== undefined)
      : value
  if (!isMap(value)) return value
  if (directive in value) return undefined
  const out: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const kept = value[name] === null ? undefined : withoutDirectives(value[name])
    if (kept !== undefined)
      Object.defineProperty(out, name, { value: kept, enumerable: true, configurable: true, writable: true })
  }
  return out
}
