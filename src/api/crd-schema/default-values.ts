import { deepClone } from '../schema/values.ts'
import { additionalOf, isForbiddenNull, isObject, itemsOf, propertyOf, put, type JsonSchema } from './json-schema.ts'

/** Fills in what the author left out, in place. Parts of the schema without defaults are not looked into. */
export function fillDefaults(schema: JsonSchema | undefined, value: unknown): void {
  if (!schema || !hasDefaults(schema)) return
  if (Array.isArray(value)) return fillList(itemsOf(schema), value)
  if (!isObject(value)) return
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || property.default === null) continue
    if (!Object.hasOwn(value, name) || isForbiddenNull(value[name], property))
      put(value, name, deepClone(property.default))
  }
  const additional = additionalOf(schema)
  for (const name of Object.keys(value)) {
    const property = propertyOf(schema, name)
    if (property) fillDefaults(property, value[name])
    else if (additional && additional !== true) {
      if (isForbiddenNull(value[name], additional) && additional.default !== undefined)
        put(value, name, deepClone(additional.default))
      fillDefaults(additional, value[name])
    }
  }
}

function fillList(items: JsonSchema | undefined, list: unknown[]): void {
  if (!items) return
  list.forEach((item, i) => {
    if (isForbiddenNull(item, items) && items.default !== undefined) list[i] = deepClone(items.default)
    fillDefaults(items, list[i])
  })
}

const known = new WeakMap<JsonSchema, boolean>()

/** Whether there is a default anywhere in the schema. */
export function hasDefaults(schema: JsonSchema): boolean {
  let has = known.get(schema)
  if (has === undefined) {
    const additional = additionalOf(schema)
    const items = itemsOf(schema)
    has =
      schema.default !== undefined ||
      Object.values(schema.properties ?? {}).some(hasDefaults) ||
      (typeof additional === 'object' && hasDefaults(additional)) ||
      (items !== undefined && hasDefaults(items))
    known.set(schema, has)
  }
  return has
}
