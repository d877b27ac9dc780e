import { SyntaxProblem } from '../codec/json.ts'
import { duplicateYamlKeys, yamlToJson } from '../codec/yaml.ts'
import { decodeSent } from '../schema/decode.ts'
import { DecodeError } from '../schema/decode-error.ts'
import type { Schema, StructSchema } from '../schema/schema.ts'
import { nearest, position } from './nearest.ts'
import { structOf, type Shape } from './shape.ts'

/** A kind of configuration file. */
export interface ConfigKind {
  /** 'kubelet.config.k8s.io/v1beta1' */
  readonly apiVersion: string
  readonly kind: string
  readonly shape: { readonly [field: string]: Shape }
}

/** A configuration file that cannot be used, with all that is wrong in it. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Reads a configuration file (YAML or JSON) as strictly as upstream: what is unknown, repeated or of another type is an error. Throws a ConfigError. */
export function readConfig(text: string, { apiVersion, kind, shape }: ConfigKind): Record<string, unknown> {
  const value = parsed(text)
  const schema = structOf({ apiVersion: 'string', kind: 'string', ...shape }, kind)
  for (const [field, wanted] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    const found = (value as Record<string, unknown>)[field]
    if (found !== wanted)
      throw new ConfigError(
        `${field} is ${found === undefined ? 'missing' : JSON.stringify(found)}: it must be ${wanted}`,
      )
  }
  const repeated = duplicateYamlKeys(text)
  const { object, problems } = checked(value, schema, text)
  const all = [...repeated, ...problems]
  if (all.length > 0) throw new ConfigError(`strict decoding error: ${all.join(', ')}`)
  return object
}

/** Checks a part of a configuration that has a shape of its own (the arguments of a plugin), and gives it. Throws a ConfigError. */
export function readPart(
  value: unknown,
  shape: { readonly [field: string]: Shape },
  text = '',
): Record<string, unknown> {
  const { object, problems } = checked(value, structOf({ apiVersion: 'string', kind: 'string', ...shape }), text)
  if (problems.length > 0) throw new ConfigError(`strict decoding error: ${problems.join(', ')}`)
  return object
}

function parsed(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(yamlToJson(text))
  } catch (error) {
    if (error instanceof SyntaxProblem) throw new ConfigError(`not YAML: ${error.message}`, { cause: error })
    throw error
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`it holds ${value === null ? 'nothing' : 'no map'}`)
  return value
}

function checked(
  value: unknown,
  schema: StructSchema,
  text: string,
): { readonly object: Record<string, unknown>; readonly problems: readonly string[] } {
  const unknown: string[] = []
  try {
    const object = decodeSent(schema, value, { unknown })
    return { object, problems: unknown.sort().map((path) => unknownField(path, schema, text)) }
  } catch (error) {
    if (error instanceof DecodeError) throw new ConfigError(error.message, { cause: error })
    throw error
  }
}

/** 'unknown field "authentication.x509.clientCAFil" at line 4, column 5; did you mean clientCAFile?' */
function unknownField(path: string, schema: StructSchema, text: string): string {
  const names = path.split(/\.|\[\d+\]\.?/).filter(Boolean)
  const last = names.pop() ?? path
  const meant = nearest(last, siblings(schema, names))
  return `unknown field ${JSON.stringify(path)}${position(text, last)}${meant ? `; did you mean ${meant}?` : ''}`
}

/** The fields that there are where a path leads to. */
function siblings(schema: Schema, names: readonly string[]): Iterable<string> {
  let at: Schema | undefined = schema
  for (const name of names) {
    at = inside(at)
    at = at?.type === 'struct' ? at.fields.get(name)?.schema : at?.type === 'map' ? at.values : undefined
  }
  const found = inside(at)
  return found?.type === 'struct' ? found.fields.keys() : []
}

function inside(schema: Schema | undefined): Schema | undefined {
  return schema?.type === 'list' ? inside(schema.items) : schema
}
