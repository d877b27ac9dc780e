import { objectMetaSchema } from '../../api/schema/builtin.ts'
import { decode, DecodeError } from '../../api/schema/decode.ts'
import { additionalOf, isEmbedded, isObject, itemsOf, keepsUnknown, type Props, type Values } from './props.ts'

/** Upstream stops telling here. */
const unknownMax = 100

/**
 * A fresh copy of a custom object without the fields that its schema does not name, whose paths are put into `unknown`. Throws a DecodeError when what every object has is not as it
 * must be.
 */
export function pruned(input: Values, props: Props | undefined, unknown: string[] | undefined): Values {
  return prunedObject(input, props ?? anything, { path: '', unknown, resource: true })
}

const anything: Props = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

interface At {
  readonly path: string
  readonly unknown: string[] | undefined
  /** It is an object of the API: apiVersion, kind and metadata are its own. */
  readonly resource: boolean
}

const below = (path: string, name: string): string => (path ? `${path}.${name}` : name)

function prunedValue(value: unknown, props: Props | undefined, at: At): unknown {
  if (Array.isArray(value)) {
    const items = props && itemsOf(props)
    return value.map((item, i) => prunedValue(item, items ?? (props && !itemsOf(props) ? anything : undefined), { ...at, path: `${at.path}[${i}]`, resource: items ? isEmbedded(items) : false }))
  }
  if (!isObject(value)) return value
  return prunedObject(value, props ?? anything, at)
}

function prunedObject(value: Values, props: Props, at: At): Values {
  const out: Values = {}
  const additional = additionalOf(props)
  const unknown = at.unknown
  if (at.resource) takeResourceFields(value, out, at)
  for (const key in value) {
    if (at.resource && (key === 'apiVersion' || key === 'kind' || key === 'metadata')) continue
    const sub = props.properties && Object.hasOwn(props.properties, key) ? props.properties[key]! : undefined
    const path = below(at.path, key)
    if (sub) put(out, key, prunedValue(value[key], sub, { path, unknown, resource: isEmbedded(sub) }))
    else if (additional) put(out, key, prunedValue(value[key], additional === true ? anything : additional, { path, unknown, resource: additional !== true && isEmbedded(additional) }))
    else if (keepsUnknown(props)) put(out, key, copied(value[key]))
    else if (unknown && unknown.length < unknownMax) unknown.push(path)
  }
  return out
}

function put(out: Values, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true })
  else out[key] = value
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (!isObject(value)) return value
  const out: Values = {}
  for (const key in value) put(out, key, copied(value[key]))
  return out
}

function takeResourceFields(value: Values, out: Values, { path, unknown }: At): void {
  for (const key of ['kind', 'apiVersion'] as const) if (Object.hasOwn(value, key)) out[key] = value[key]
  if (!Object.hasOwn(value, 'metadata')) return
  const { metadata } = value
  if (!isObject(metadata)) {
    // Inside of an object it is for validation to say; the object's own must be right.
    if (path !== '') out['metadata'] = metadata
    else if (metadata !== null) throw new DecodeError(`json: cannot unmarshal ${Array.isArray(metadata) ? 'array' : typeof metadata} into Go struct field .metadata of type v1.ObjectMeta`)
    return
  }
  const problems = { unknown: [] as string[] }
  try {
    out['metadata'] = decode(objectMetaSchema(), metadata, problems)
  } catch (error) {
    if (path === '' || !(error instanceof DecodeError)) throw error
    out['metadata'] = copied(metadata)
  }
  for (const name of problems.unknown) if (unknown && unknown.length < unknownMax) unknown.push(below(path, `metadata.${name}`))
}
