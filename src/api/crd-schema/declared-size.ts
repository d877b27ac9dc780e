import type { DeclaredSize } from '../cel/cost/size.ts'
import { additionalOf, itemsOf, type JsonSchema } from './json-schema.ts'
import { celTypeOf } from './schema-type.ts'

/** The largest request: what nothing else bounds. */
const requestBytesMax = 3 * 1024 * 1024

/** A time or a duration as text, with its quotation marks. */
const timeBytesMax = 32
const dateBytes = 12

/** A map's key has one letter at least, and quotation marks, a colon and a comma. */
const entryBytes = 6
/** The same around a property of an object. */
const propertyBytes = 4

/** How often a value of such a schema can be in one object at most, where nothing says how often. */
export const countMax = (schema: JsonSchema, root: boolean): number =>
  Math.floor(requestBytesMax / (leastBytes(schema, root) + 1))

/** How often what is in a value of the schema can be in it: 1 for an object's properties; undefined where nothing says. */
export function elementsMax(schema: JsonSchema): number | undefined {
  if (schema.type === 'array') return schema.maxItems === undefined ? undefined : Math.max(0, schema.maxItems)
  if (schema.type !== 'object' || schema.additionalProperties === undefined) return 1
  return schema.maxProperties === undefined ? undefined : Math.max(0, schema.maxProperties)
}

const known = new WeakMap<
  JsonSchema,
  { readonly root: DeclaredSize | undefined; readonly part: DeclaredSize | undefined }
>()

/** What a schema says of the size of its values; undefined for what expressions cannot see. */
export function declaredSizeOf(schema: JsonSchema, root: boolean): DeclaredSize | undefined {
  let sizes = known.get(schema)
  if (!sizes) known.set(schema, (sizes = { root: make(schema, true), part: make(schema, false) }))
  return root ? sizes.root : sizes.part
}

const partSize = (schema: JsonSchema | undefined): DeclaredSize | undefined =>
  schema && declaredSizeOf(schema, schema['x-kubernetes-embedded-resource'] === true)

function make(schema: JsonSchema, root: boolean): DeclaredSize | undefined {
  const type = celTypeOf(schema, root)
  if (!type) return undefined
  const inside = (): JsonSchema | undefined => {
    const additional = additionalOf(schema)
    return type.kind === 'list'
      ? itemsOf(schema)
      : type.kind === 'map' && typeof additional === 'object'
        ? additional
        : undefined
  }
  return {
    get max() {
      return maxOf(schema, inside())
    },
    item: () => partSize(inside()),
    keys: () => (type.kind === 'map' ? plain : undefined),
    field(name) {
      const json = type.kind === 'object' ? type.field(name)?.json : undefined
      if (json === undefined) return undefined
      if (root && (json === 'apiVersion' || json === 'kind')) return anyText
      if (root && json === 'metadata') return metadata
      return partSize(schema.properties?.[json])
    },
  }
}

/** What has no parts and no length: numbers, and the keys of maps. */
const plain: DeclaredSize = { max: 0, item: () => undefined, keys: () => undefined, field: () => undefined }
const anyText: DeclaredSize = { ...plain, max: requestBytesMax - 2 }
const metadata: DeclaredSize = {
  ...plain,
  field: (name) => (name === 'name' || name === 'generateName' ? anyText : undefined),
}

function maxOf(schema: JsonSchema, inside: JsonSchema | undefined): number {
  if (schema['x-kubernetes-int-or-string'])
    return schema.maxLength === undefined ? requestBytesMax - 2 : 4 * Math.max(0, schema.maxLength)
  switch (schema.type) {
    case 'array':
      return elementsMax(schema) ?? Math.floor((requestBytesMax - 2) / (leastBytes(inside ?? {}) + 1))
    case 'object':
      return inside
        ? schema.maxProperties === undefined
          ? Math.floor((requestBytesMax - 2) / (leastBytes(inside) + entryBytes))
          : Math.max(0, schema.maxProperties)
        : 0
    case 'string':
      return textMax(schema)
    default:
      return 0
  }
}

/** A letter can have four bytes. */
function textMax({ format, maxLength, enum: values }: JsonSchema): number {
  if (format === 'duration' || format === 'date-time') return timeBytesMax
  if (format === 'date') return dateBytes
  if (maxLength !== undefined) return Math.max(0, maxLength) * (format === 'byte' ? 1 : 4)
  if (format !== 'byte' && values?.length)
    return Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)))
  return requestBytesMax - 2
}

/** What a value of a schema takes in JSON at least. */
function leastBytes(schema: JsonSchema, root = schema['x-kubernetes-embedded-resource'] === true): number {
  if (schema['x-kubernetes-int-or-string']) return 1
  switch (schema.type) {
    case 'object': {
      if (!root && typeof additionalOf(schema) === 'object') return 2
      let bytes = 2
      for (const name of schema.required ?? []) {
        const property = schema.properties?.[name]
        if (property && (property.default === undefined || property.default === null) && partSize(property))
          bytes += name.length + leastBytes(property) + propertyBytes
      }
      return bytes
    }
    case 'string':
      return schema.format === 'duration'
        ? 3
        : schema.format === 'date'
          ? dateBytes
          : schema.format === 'date-time'
            ? 21
            : 2
    case 'boolean':
      return 4
    case 'number':
    case 'integer':
      return 1
    default:
      return 2
  }
}
