import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  string,
  timestamp,
  type CelType,
  type ObjectField,
} from '../cel/types.ts'
import { additionalOf, itemsOf, type JsonSchema } from './json-schema.ts'

const known = new WeakMap<JsonSchema, { readonly root: CelType | undefined; readonly part: CelType | undefined }>()

/**
 * The type that expressions see of a part of an object; undefined for what no expression can see, since its schema says too little. Objects at the root, and embedded ones, have the names
 * of their metadata.
 */
export function celTypeOf(schema: JsonSchema, root: boolean): CelType | undefined {
  let types = known.get(schema)
  if (!types) known.set(schema, (types = { root: make(schema, true), part: make(schema, false) }))
  return root ? types.root : types.part
}

const partType = (schema: JsonSchema): CelType | undefined =>
  celTypeOf(schema, schema['x-kubernetes-embedded-resource'] === true)

function make(schema: JsonSchema, root: boolean): CelType | undefined {
  if (schema['x-kubernetes-int-or-string']) return dyn
  switch (schema.type) {
    case 'array': {
      const items = itemsOf(schema)
      const item = items && partType(items)
      return (
        item && {
          kind: 'list',
          item,
          listType: schema['x-kubernetes-list-type'],
          keys: schema['x-kubernetes-list-map-keys'],
        }
      )
    }
    case 'object': {
      const additional = additionalOf(schema)
      if (typeof additional === 'object' && !root) {
        const value = partType(additional)
        return value && { kind: 'map', key: string, value }
      }
      return objectType(schema, root)
    }
    case 'string':
      return schema.format === 'byte'
        ? bytes
        : schema.format === 'duration'
          ? duration
          : schema.format === 'date' || schema.format === 'date-time'
            ? timestamp
            : string
    case 'boolean':
      return bool
    case 'number':
      return double
    case 'integer':
      return int
    default:
      return undefined
  }
}

const metadata: JsonSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
}

function objectType(schema: JsonSchema, root: boolean): CelType {
  const properties = {
    ...schema.properties,
    ...(root && { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata }),
  } as Readonly<Record<string, JsonSchema>>
  let fields: Map<string, ObjectField> | undefined
  return {
    kind: 'object',
    name: 'object',
    field(name) {
      fields ??= new Map(
        Object.entries(properties).flatMap(([json, property]) => {
          const type = partType(property)
          return type ? [[escapedName(json), { type, json }] as const] : []
        }),
      )
      // Behind a dot a reserved word is a name like any other.
      return fields.get(name) ?? (reserved.has(name) ? fields.get(`__${name}__`) : undefined)
    },
  }
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const signs: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** A property's name as expressions write it. */
export function escapedName(name: string): string {
  return reserved.has(name) ? `__${name}__` : name.replace(/__|[.\-/]/g, (sign) => signs[sign]!)
}
