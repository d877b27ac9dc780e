/** JSON that may have parts. */
export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A list without elements. */
export const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

/** A map without entries. */
export function isEmptyMap(value: Readonly<Record<string, unknown>>): boolean {
  for (const name in value) if (value[name] !== undefined) return false
  return true
}

/** Absent, null and empty containers have no parts: between them they are leaves, so that empty and null stay apart. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return false
  return Array.isArray(value) ? value.length === 0 : isEmptyMap(value as Readonly<Record<string, unknown>>)
}
