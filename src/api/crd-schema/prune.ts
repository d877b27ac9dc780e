import { definition } from '../schema/builtin.ts'
import { decode } from '../schema/decode.ts'
import { DecodeError } from '../schema/decode-error.ts'
import {
  additionalOf,
  childOf,
  isForbiddenNull,
  isObject,
  itemsOf,
  metaFields,
  propertyOf,
  put,
  type JsonObject,
  type JsonSchema,
} from './json-schema.ts'

/** Where pruning is, and what it found that the schema lacks; undefined when nobody asks. */
interface Trail {
  readonly path: (string | number)[]
  readonly unknown: string[] | undefined
  /** Nulls stay where they are not allowed, for validation to tell of. */
  readonly nulls: boolean
}

/**
 * An object of a custom kind without what its schema lacks: undeclared fields, nulls that are neither allowed nor replaced by a default, and what metadata does not have. The
 * result is fresh where it is declared. Keys are in order, as upstream writes them. Throws a DecodeError for metadata that is none.
 */
export function pruned(
  schema: JsonSchema | undefined,
  input: JsonObject,
  unknown: string[] | undefined,
  nulls = false,
): JsonObject {
  for (const name of ['apiVersion', 'kind']) checkText(input, name)
  const metadata = 'metadata' in input ? metadataOf(input['metadata'], 'metadata', unknown) : undefined
  const trail: Trail = { path: [], unknown: unknown && [], nulls }
  const body = withoutUnknown(input, schema, trail, true) as JsonObject
  unknown?.push(...(trail.unknown ?? []).sort())
  const out: JsonObject = {}
  for (const name of Object.keys(input).sort()) {
    if (name === 'metadata') out['metadata'] = metadata
    else if (name === 'apiVersion' || name === 'kind') out[name] = input[name]
    else if (Object.hasOwn(body, name)) put(out, name, body[name])
  }
  return out
}

function checkText(input: JsonObject, name: string): void {
  const value = input[name]
  if (value !== undefined && typeof value !== 'string')
    throw new DecodeError(
      `.${name} accessor error: ${JSON.stringify(value)} is of the type ${goType(value)}, expected string`,
    )
}

const goType = (value: unknown): string =>
  value === null
    ? '<nil>'
    : typeof value === 'number'
      ? Number.isInteger(value)
        ? 'int64'
        : 'float64'
      : typeof value === 'boolean'
        ? 'bool'
        : Array.isArray(value)
          ? '[]interface {}'
          : 'map[string]interface {}'

/** Metadata in its own shape. */
function metadataOf(value: unknown, path: string, unknown: string[] | undefined): JsonObject {
  const problems = unknown && { unknown: [] as string[] }
  const metadata = decode(definition('apimachinery.pkg.apis.meta.v1.ObjectMeta'), value ?? {}, problems)
  for (const found of problems?.unknown ?? []) unknown!.push(`${path}.${found}`)
  return metadata
}

function withoutUnknown(value: unknown, schema: JsonSchema | undefined, trail: Trail, root = false): unknown {
  if (Array.isArray(value))
    return value.map((item, i) => inside(trail, i, () => withoutUnknown(item, schema && itemsOf(schema), trail)))
  if (!isObject(value)) return value
  if (schema?.['x-kubernetes-preserve-unknown-fields']) return keepingUnknown(value, schema, { trail, root })
  const out: JsonObject = {}
  const additional = schema && additionalOf(schema)
  for (const name of Object.keys(value).sort()) {
    const declared = schema && propertyOf(schema, name)
    // What every object has is not the schema's to prune.
    if (root && metaFields.has(name)) continue
    if (schema?.['x-kubernetes-embedded-resource'] && metaFields.has(name))
      put(out, name, embedded(name, value[name], trail))
    else if (declared) keep(out, name, { value: value[name], schema: declared, trail })
    else if (additional)
      keep(out, name, { value: value[name], schema: additional === true ? undefined : additional, trail })
    else report(trail, name)
  }
  return out
}

/** What is declared is pruned all the same, the rest stays. */
function keepingUnknown(
  value: JsonObject,
  schema: JsonSchema,
  { trail, root }: { trail: Trail; root: boolean },
): JsonObject {
  const out: JsonObject = {}
  for (const name of Object.keys(value).sort()) {
    if (root && metaFields.has(name)) continue
    const child = childOf(schema, name)
    if (schema['x-kubernetes-embedded-resource'] && metaFields.has(name))
      put(out, name, embedded(name, value[name], trail))
    else if (child) keep(out, name, { value: value[name], schema: child, trail })
    else put(out, name, value[name])
  }
  return out
}

interface Kept {
  readonly value: unknown
  readonly schema: JsonSchema | undefined
  readonly trail: Trail
}

function keep(out: JsonObject, name: string, { value, schema, trail }: Kept): void {
  if (!trail.nulls && isForbiddenNull(value, schema) && schema?.default === undefined) return
  put(
    out,
    name,
    inside(trail, name, () => withoutUnknown(value, schema, trail)),
  )
}

function embedded(name: string, value: unknown, trail: Trail): unknown {
  const path = textOf([...trail.path, name])
  if (name !== 'metadata') {
    if (typeof value !== 'string')
      throw new DecodeError(`${path}: Invalid value: ${JSON.stringify(value)}: must be a string`)
    return value
  }
  const unknown = trail.unknown && []
  try {
    const metadata = metadataOf(value, path, unknown)
    if (metadata['creationTimestamp'] === null) delete metadata['creationTimestamp']
    trail.unknown?.push(...(unknown ?? []))
    return metadata
  } catch (error) {
    throw error instanceof DecodeError
      ? new DecodeError(`${path}: Invalid value: ${JSON.stringify(value)}: ${error.message}`)
      : error
  }
}

function inside<T>(trail: Trail, step: string | number, visit: () => T): T {
  trail.path.push(step)
  const result = visit()
  trail.path.pop()
  return result
}

const report = ({ path, unknown }: Trail, name: string): void => {
  unknown?.push(textOf([...path, name]))
}

const textOf = (path: readonly (string | number)[]): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text ? `${text}.${step}` : step),
    '',
  )
