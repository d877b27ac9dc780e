import { badRequest, type ApiError } from '../errors/api-error.ts'
import { decodeSent } from '../schema/decode.ts'
import { DecodeError } from '../schema/decode-error.ts'
import type { Schema, StructSchema } from '../schema/schema.ts'
import { duplicateFields, hasDuplicates, parseJson, SyntaxProblem, type Shape } from './json.ts'
import { duplicatesText } from './yaml.ts'

/** What a request's body must be. */
export interface Expected {
  readonly schema: StructSchema
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** What becomes of unknown and duplicate fields: refused, told in warnings, or passed over. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** A decoded body. */
export interface DecodedBody {
  /** A fresh object with apiVersion and kind set. */
  readonly object: Record<string, unknown>
  /** For the Warning headers. */
  readonly warnings: readonly string[]
  /** Why it is refused all the same, to be told with the warnings. */
  readonly refused?: ApiError | undefined
}

/** Decodes the JSON text of a body. Throws the ApiError 400 that upstream answers. */
export function decodeBody(text: string, expected: Expected, validation: FieldValidation): DecodedBody {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxProblem)
      throw unrecognized(text, expected, `couldn't get version/kind; json parse error: ${error.message}`)
    throw error
  }
  return decodeValue(value, {
    text,
    expected,
    validation,
    duplicates: () => (hasDuplicates(text, value) ? duplicateFields(text, shapeOf(expected.schema)) : []),
  })
}

/** The same for YAML, already turned into JSON text; `duplicates` are the repeated keys that its reader found. */
export const decodeYamlBody = (
  json: string,
  expected: Expected,
  validation: FieldValidation,
  duplicates: () => readonly string[],
): DecodedBody => decodeValue(parseJson(json), { text: json, expected, validation, duplicates, yaml: true })

/** Decodes an object that is parsed already: of an in-process client, of a patch. Duplicates are not possible there. */
export const decodeParsed = (value: unknown, expected: Expected, validation: FieldValidation): DecodedBody =>
  decodeValue(value, { text: '', expected, validation, duplicates: () => [] })

interface Source {
  readonly text: string
  readonly expected: Expected
  readonly validation: FieldValidation
  readonly duplicates: () => readonly string[]
  /** Duplicates are told as the reader of YAML says them. */
  readonly yaml?: boolean
}

function decodeValue(value: unknown, { text, expected, validation, duplicates, yaml = false }: Source): DecodedBody {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what =
      value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    throw unrecognized(
      text,
      expected,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    )
  }
  const { input, refused } = withKind(value as Record<string, unknown>, text, expected)
  const cannot = (why: string) =>
    badRequest(
      `${expected.kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}: ${why}`,
    )
  const unknown: string[] = []
  let object: Record<string, unknown>
  try {
    object = decodeSent(expected.schema, input, validation === 'Ignore' ? undefined : { unknown })
  } catch (error) {
    if (error instanceof DecodeError) throw cannot(error.message)
    throw error
  }
  if (validation === 'Ignore') return { object, warnings: [], refused }
  const problems = [
    ...unknown.filter((path) => !refused || isTop(path)).map((path) => `unknown field ${JSON.stringify(path)}`),
    ...(yaml ? [] : duplicates().map((path) => `duplicate field ${JSON.stringify(path)}`)),
  ]
  const repeated = yaml ? duplicates() : []
  if (validation === 'Warn') return { object, warnings: [...problems, ...repeated], refused }
  if (repeated.length > 0) problems.push(duplicatesText(repeated))
  if (problems.length > 0) throw cannot(`strict decoding error: ${problems.join(', ')}`)
  return { object, warnings: [], refused }
}

/** Versions of a kind differ further inside. */
const isTop = (path: string): boolean => !/[.[]/.test(path)

/** The input with apiVersion and kind: what is missing is what the path says; what differs is refused, another version of the kind after its fields were looked at. */
function withKind(
  input: Record<string, unknown>,
  text: string,
  expected: Expected,
): { input: Record<string, unknown>; refused?: ApiError } {
  const apiVersion = expected.group ? `${expected.group}/${expected.version}` : expected.version
  const given = { apiVersion: input['apiVersion'] || apiVersion, kind: input['kind'] || expected.kind }
  if (given.apiVersion === apiVersion && given.kind === expected.kind)
    return { input: input['apiVersion'] && input['kind'] ? input : { ...input, ...given } }
  for (const name of ['apiVersion', 'kind'] as const) {
    if (typeof given[name] === 'string') continue
    const field = name === 'kind' ? '.kind of type string' : '.apiVersion of type string'
    throw unrecognized(
      text,
      expected,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeof given[name] === 'boolean' ? 'bool' : Array.isArray(given[name]) ? 'array' : typeof given[name]} into Go struct field ${field}`,
    )
  }
  if (given.kind === expected.kind)
    return {
      input: { ...input, ...given },
      refused: badRequest(
        `the API version in the data (${String(given.apiVersion)}) does not match the expected API version (${apiVersion})`,
      ),
    }
  const version = String(given.apiVersion).split('/').at(-1)!
  throw badRequest(
    `${String(given.kind)} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`,
  )
}

const unrecognized = (text: string, expected: Expected, why: string) =>
  badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summary(text)})`)

/** How much of a body an error shows. */
const summaryMax = 30

function summary(text: string): string {
  if (text === '') return '<empty>'
  const bytes = Buffer.from(text.slice(0, summaryMax))
  const shown = text.startsWith('{') ? text.slice(0, summaryMax) : bytes.subarray(0, summaryMax).toString('hex')
  return text.length > summaryMax ? `${shown} ...` : shown
}

// ---------------------------------------------------------------- shapes for the scanner of duplicates

const closed: Shape = { inside: false, field: () => closed, item: () => closed }
const open: Shape = { inside: true, field: () => open, item: () => open }
const shapes = new WeakMap<Schema, Shape>()

/** Unknown fields and JSON of any shape are not looked into, as upstream's decoder skips them. */
function shapeOf(schema: Schema): Shape {
  let shape = shapes.get(schema)
  if (!shape) shapes.set(schema, (shape = newShape(schema)))
  return shape
}

function newShape(schema: Schema): Shape {
  switch (schema.type) {
    case 'struct':
      return {
        inside: true,
        field: (name) => {
          const field = schema.fields.get(name)
          return field ? shapeOf(field.schema) : schema.preserveUnknown ? open : closed
        },
        item: () => closed,
      }
    case 'list':
      return { inside: true, field: () => closed, item: () => shapeOf(schema.items) }
    case 'map':
      return { inside: true, field: () => shapeOf(schema.values), item: () => closed }
    default:
      return closed
  }
}
