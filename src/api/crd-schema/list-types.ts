import { field, FieldErrors, type FieldPath } from '../validation/field.ts'
import { additionalOf, isObject, itemsOf, propertyOf, type JsonSchema } from './json-schema.ts'

/** Lists that are sets or have keys must not have anything twice. */
export function validateListTypes(schema: JsonSchema | undefined, object: unknown): FieldErrors {
  const errors = new FieldErrors()
  if (schema) visit(schema, object, field(), errors)
  return errors
}

function visit(schema: JsonSchema, value: unknown, at: FieldPath, errors: FieldErrors): void {
  if (!hasListTypes(schema)) return
  if (Array.isArray(value)) {
    if (schema['x-kubernetes-list-type'] === 'set')
      for (const index of repeated(value)) errors.duplicate(at.index(index), value[index])
    else if (schema['x-kubernetes-list-type'] === 'map') checkKeys(schema, value, at, errors)
    const items = itemsOf(schema)
    if (items) value.forEach((item, i) => visit(items, item, at.index(i), errors))
  } else if (isObject(value)) {
    const additional = additionalOf(schema)
    for (const name of Object.keys(value)) {
      const property = propertyOf(schema, name)
      if (property) visit(property, value[name], at.child(name), errors)
      else if (typeof additional === 'object') visit(additional, value[name], at.key(name), errors)
    }
  }
}

function checkKeys(schema: JsonSchema, list: readonly unknown[], at: FieldPath, errors: FieldErrors): void {
  const wrong = list.findIndex((item) => item !== null && !isObject(item))
  if (wrong >= 0) return errors.invalid(at.index(wrong), list[wrong], 'must be an object for an array of list-type map')
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const found = list.map((item) =>
    Object.fromEntries(keys.flatMap((key) => (isObject(item) && Object.hasOwn(item, key) ? [[key, item[key]]] : []))),
  )
  for (const index of repeated(found)) errors.duplicate(at.index(index), found[index])
}

/** Where values are for the second time; the third and later are not told again. */
function repeated(list: readonly unknown[]): number[] {
  const times = new Map<string, number>()
  return list.flatMap((item, i) => {
    const text = JSON.stringify(item)
    const count = (times.get(text) ?? 0) + 1
    times.set(text, count)
    return count === 2 ? [i] : []
  })
}

const known = new WeakMap<JsonSchema, boolean>()

function hasListTypes(schema: JsonSchema): boolean {
  let has = known.get(schema)
  if (has === undefined) {
    const type = schema['x-kubernetes-list-type']
    const additional = additionalOf(schema)
    const items = itemsOf(schema)
    has =
      type === 'set' ||
      type === 'map' ||
      Object.values(schema.properties ?? {}).some(hasListTypes) ||
      (typeof additional === 'object' && hasListTypes(additional)) ||
      (items !== undefined && hasListTypes(items))
    known.set(schema, has)
  }
  return has
}
