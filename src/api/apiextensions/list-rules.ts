import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'
import { present } from './schema-tree.ts'

const listTypes = ['atomic', 'set', 'map']

/** How lists merge: as a whole, as a set, or by keys. */
export function checkListType(schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== undefined && schema.type !== 'array') {
    const text = 'must be array if x-kubernetes-list-type is specified'
    if (schema.type) errors.invalid(at.child('type'), schema.type, text)
    else errors.required(at.child('type'), text)
  } else if (listType === 'set') checkSetItems(schema, at.child('items'), errors)
  if (listType !== undefined && !listTypes.includes(listType))
    errors.notSupported(at.child('x-kubernetes-list-type'), listType, ['atomic', 'set', 'map'])
}

function checkSetItems(schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  const items = itemsOf(schema)
  const text = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const inner = items?.['x-kubernetes-list-type']
  if (items?.type === 'array' && inner !== undefined && inner !== 'atomic')
    errors.invalid(at.child('x-kubernetes-list-type'), inner, text)
  if (items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
    errors.invalid(at.child('x-kubernetes-map-type'), inner ?? null, text)
}

/** The keys of lists that merge by them. */
export function checkListKeys(schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (keys.length && listType !== 'map') {
    const text = 'must be map if x-kubernetes-list-map-keys is non-empty'
    if (listType === undefined) errors.required(at.child('x-kubernetes-list-type'), text)
    else errors.invalid(at.child('x-kubernetes-list-type'), listType, text)
  }
  if (listType === 'map') checkMapList(schema, keys, at, errors)
  if (listType === 'map' || listType === 'set') checkKeyFields(schema, listType, keys, { at, errors })
}

function checkMapList(schema: JsonSchema, keys: readonly string[], at: FieldPath, errors: FieldErrors): void {
  const items = itemsOf(schema)
  const path = at.child('items')
  if (keys.length === 0)
    errors.required(at.child('x-kubernetes-list-map-keys'), 'must not be empty if x-kubernetes-list-type is map')
  if (!present(schema.items)) errors.required(path, 'must have a schema if x-kubernetes-list-type is map')
  else if (!items) errors.invalid(path, schema.items, 'must only have a single schema if x-kubernetes-list-type is map')
  else if (items.type !== 'object')
    errors.invalid(
      path.child('type'),
      items.type ?? '',
      "must be object if parent array's x-kubernetes-list-type is map",
    )
  else {
    keys.forEach((key, i) => {
      const property = items.properties?.[key]
      const list = at.child('x-kubernetes-list-map-keys')
      if (!property) errors.invalid(list, keys, 'entries must all be names of item properties')
      else if (property.type === 'array' || property.type === 'object') {
        errors.invalid(
          path.child('properties').key(key).child('type'),
          items.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        )
      }
      if (keys.indexOf(key) < i) errors.invalid(list, keys, 'must not contain duplicate entries')
    })
  }
}

function checkKeyFields(
  schema: JsonSchema,
  listType: string,
  keys: readonly string[],
  { at, errors }: { at: FieldPath; errors: FieldErrors },
): void {
  const items = itemsOf(schema)
  if (!items) return
  if (items.nullable)
    errors.forbidden(at.child('items', 'nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`)
  if (listType !== 'map') return
  for (const key of keys) {
    const property = items.properties?.[key]
    if (!property) continue
    const path = at.child('items', 'properties').key(key)
    if (!items.required?.includes(key) && !present(property.default))
      errors.required(
        path.child('default'),
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      )
    if (property.nullable)
      errors.forbidden(
        path.child('nullable'),
        'this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
      )
  }
}
