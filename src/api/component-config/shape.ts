import { definition } from '../schema/builtin.ts'
import type { Field, Schema, StructSchema } from '../schema/schema.ts'

/**
 * The fields of a configuration kind as a literal: a leaf's type or a definition's name, `[shape]` for a list, `{ '*': shape }` for a map, else an object with
 * its fields.
 *
 *     { port: 'int32', clusterDNS: ['string'], featureGates: { '*': 'boolean' }, authentication: { x509: { clientCAFile: 'string' } } }
 */
export type Shape = Leaf | readonly [Shape] | { readonly [field: string]: Shape }

type Leaf = 'string' | 'boolean' | 'int32' | 'int64' | 'double' | 'quantity' | 'any' | `io.k8s.${string}`

/** The schema of an object of that shape. */
export function structOf(shape: { readonly [field: string]: Shape }, name = ''): StructSchema {
  const fields = Object.entries(shape).map(([field, of]): [string, Field] => [
    field,
    { name: field, schema: schemaOf(of), required: false, omit: 'nil', pointer: true },
  ])
  return { type: 'struct', name, fields: new Map(fields) }
}

function schemaOf(shape: Shape): Schema {
  if (typeof shape === 'string')
    return shape.startsWith('io.k8s.')
      ? definition(shape)
      : shape === 'any'
        ? { type: 'any', form: 'json' }
        : { type: shape as Exclude<Leaf, `io.k8s.${string}` | 'any'> }
  if (isList(shape)) return { type: 'list', items: schemaOf(shape[0]) }
  const values = shape['*']
  return values === undefined ? structOf(shape) : { type: 'map', values: schemaOf(values) }
}

const isList = (shape: Exclude<Shape, string>): shape is readonly [Shape] => Array.isArray(shape)
