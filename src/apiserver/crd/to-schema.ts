import { objectMetaSchema } from '../../api/schema/builtin.ts'
import type { Field, Schema, StructSchema } from '../../api/schema/schema.ts'
import { additionalOf, isEmbedded, itemsOf, keepsUnknown, type Props } from './props.ts'

const string: Schema = { type: 'string' }
const any: Schema = { type: 'any', form: 'json' }

/** A custom kind's schema as merging and managed fields see it. What it does not describe can be anything. */
export function customSchema(props: Props | undefined): StructSchema {
  if (!props) return { ...rootOf(new Map()), preserveUnknown: true }
  return { ...rootOf(fieldsOf(props)), ...(keepsUnknown(props) && { preserveUnknown: true }) }
}

const plain = (name: string, schema: Schema, standard?: unknown): Field => ({ name, schema, required: false, omit: 'nil', ...(standard !== undefined && { default: standard }) })

/** What every object has comes first. */
function rootOf(fields: ReadonlyMap<string, Field>): StructSchema {
  const own: [string, Field][] = [
    ['kind', plain('kind', string)],
    ['apiVersion', plain('apiVersion', string)],
    ['metadata', plain('metadata', objectMetaSchema())],
  ]
  return { type: 'struct', name: '', fields: new Map([...own, ...[...fields].filter(([name]) => !own.some(([first]) => first === name))]) }
}

const fieldsOf = (props: Props): ReadonlyMap<string, Field> => new Map(Object.entries(props.properties ?? {}).map(([name, sub]) => [name, plain(name, schemaOf(sub), sub.default)]))

function schemaOf(props: Props): Schema {
  if (props['x-kubernetes-int-or-string']) return { type: 'intOrString' }
  switch (props.type) {
    case 'string':
      return string
    case 'integer':
      return { type: 'int64' }
    case 'number':
      return { type: 'double' }
    case 'boolean':
      return { type: 'boolean' }
    case 'array':
      return listOf(props)
    case 'object':
      return objectOf(props)
    default:
      return any
  }
}

function listOf(props: Props): Schema {
  const items = itemsOf(props)
  const listType = props['x-kubernetes-list-type'] as 'map' | 'set' | 'atomic' | undefined
  return { type: 'list', items: items ? schemaOf(items) : any, listType: listType ?? 'atomic', ...(props['x-kubernetes-list-map-keys'] && { listMapKeys: [...props['x-kubernetes-list-map-keys']] }) }
}

function objectOf(props: Props): Schema {
  const atomic = props['x-kubernetes-map-type'] === 'atomic'
  const additional = additionalOf(props)
  if (isEmbedded(props)) return { ...rootOf(fieldsOf(props)), embedded: true, ...(keepsUnknown(props) && { preserveUnknown: true }), ...(atomic && { atomic }) }
  if (additional && !props.properties) return { type: 'map', values: additional === true ? any : schemaOf(additional), ...(atomic && { atomic }) }
  return { type: 'struct', name: '', fields: fieldsOf(props), ...(keepsUnknown(props) && { preserveUnknown: true }), ...(atomic && { atomic }) }
}

