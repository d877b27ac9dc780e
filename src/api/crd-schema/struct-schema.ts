import { definition } from '../schema/builtin.ts'
import type { Field, Schema, StructSchema } from '../schema/schema.ts'
import { additionalOf, itemsOf, type JsonObject, type JsonSchema } from './json-schema.ts'
import { pruned } from './prune.ts'

/** The schema of a custom kind as merging and managed fields see it; decoding by it prunes and leaves types to validation. */
export function structSchemaOf(declared: JsonSchema | undefined): StructSchema {
  const root = objectSchema(declared ?? { 'x-kubernetes-preserve-unknown-fields': true })
  return {
    type: 'struct',
    name: '',
    fields: new Map([
      ...metaParts(),
      ...[...root.fields].filter(([name]) => name !== 'apiVersion' && name !== 'kind' && name !== 'metadata'),
    ]),
    preserveUnknown: root.preserveUnknown,
    decodeWith: (input, unknown) => pruned(declared, input as JsonObject, unknown),
    decodeApplied: (input) => pruned(declared, input as JsonObject, undefined, true),
  }
}

function metaParts(): [string, Field][] {
  return [
    ['apiVersion', fieldOf('apiVersion', { type: 'string' })],
    ['kind', fieldOf('kind', { type: 'string' })],
    ['metadata', fieldOf('metadata', definition('apimachinery.pkg.apis.meta.v1.ObjectMeta'))],
  ]
}

const fieldOf = (name: string, schema: Schema, required = false, value?: unknown): Field => ({
  name,
  schema,
  required,
  omit: 'nil',
  pointer: true,
  ...(value !== undefined && { default: value }),
})

/** Made when first asked for: schemas are large, and most parts are never merged. */
function schemaOf(declared: JsonSchema): Schema {
  if (declared['x-kubernetes-int-or-string']) return { type: 'intOrString' }
  switch (declared.type) {
    case 'string':
      return { type: 'string' }
    case 'boolean':
      return { type: 'boolean' }
    case 'integer':
      return { type: 'int64' }
    case 'number':
      return { type: 'double' }
    case 'array':
      return {
        type: 'list',
        items: partOf(itemsOf(declared)),
        listType: declared['x-kubernetes-list-type'] as 'map' | 'set' | 'atomic' | undefined,
        listMapKeys: declared['x-kubernetes-list-map-keys'],
      }
    case 'object':
      return objectOrMap(declared)
    default:
      return { type: 'any' }
  }
}

const partOf = (declared: JsonSchema | undefined): Schema => (declared ? schemaOf(declared) : { type: 'any' })

function objectOrMap(declared: JsonSchema): Schema {
  const additional = additionalOf(declared)
  const atomic = declared['x-kubernetes-map-type'] === 'atomic'
  if (additional) return { type: 'map', values: additional === true ? { type: 'any' } : schemaOf(additional), atomic }
  // Without a word on what is in it, upstream's apply merges by key.
  if (!declared.properties && !declared['x-kubernetes-embedded-resource'])
    return atomic ? { type: 'map', values: { type: 'any' }, atomic } : { type: 'map', values: { type: 'any' } }
  return objectSchema(declared)
}

function objectSchema(declared: JsonSchema): StructSchema {
  const required = new Set(declared.required)
  const embedded = declared['x-kubernetes-embedded-resource'] === true
  const properties = Object.entries(declared.properties ?? {}).map(([name, property]): [string, Field] => [
    name,
    fieldOf(name, schemaOf(property), required.has(name), property.default),
  ])
  return {
    type: 'struct',
    name: '',
    fields: new Map([...(embedded ? metaParts() : []), ...properties]),
    atomic: declared['x-kubernetes-map-type'] === 'atomic',
    preserveUnknown: declared['x-kubernetes-preserve-unknown-fields'] === true,
    embedded,
  }
}
