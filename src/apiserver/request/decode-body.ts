import {
  decodeBody as decodeJson,
  decodeParsed,
  decodeYamlBody,
  type DecodedBody,
  type Expected,
} from '../../api/codec/body.ts'
import { decodeEnvelope, openEnvelope } from '../../api/codec/protobuf/envelope.ts'
import { ProtobufError } from '../../api/codec/protobuf/read.ts'
import { duplicateFields, hasDuplicates, SyntaxProblem, type Shape } from '../../api/codec/json.ts'
import { duplicatesText, duplicateYamlKeys, yamlToJson } from '../../api/codec/yaml.ts'
import { badRequest, unsupportedMediaType } from '../../api/errors/api-error.ts'
import type { Kind } from '../../api/kind.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { warn, type ApiRequest } from './api-request.ts'
import type { FieldValidation } from './options.ts'
import { bodyTypes, mediaTypeOf, parseText, readRequestBody } from './parse-body.ts'
import { DecodeError } from '../../api/schema/decode-error.ts'
import { decodeObject } from '../verbs/kind-codec.ts'

/** The request's body as a draft of a kind: every field of its schema's type, defaults filled in. Strictness as the client asked. */
export async function decodeBody(request: ApiRequest, kind: Kind, validation: FieldValidation): Promise<Draft> {
  const { group, version, kind: name } = kind.resource
  const draft = kind.custom
    ? await decodeCustom(request, kind, validation)
    : await decodeAs<Draft>(request, { schema: kind.schema, group, version, kind: name }, validation)
  draft.metadata ??= {}
  kind.behaviour.defaults?.(draft)
  return draft
}

/** The request's body as an object of a schema: also for what is no kind of its own, a Scale or an Eviction. */
export async function decodeAs<T>(request: ApiRequest, expected: Expected, validation: FieldValidation): Promise<T> {
  const mediaType = mediaTypeOf(request.contentType)
  if (!bodyTypes.some((type) => type === mediaType)) throw unsupportedMediaType(bodyTypes)
  const body = await readRequestBody(request)
  const { object, warnings, refused } =
    'value' in body
      ? decodeParsed(body.value, expected, validation)
      : decodeBytes(body.bytes, mediaType, expected, validation)
  for (const text of warnings) warn(request, text)
  if (refused) throw refused
  return object as T
}

function decodeBytes(bytes: Buffer, mediaType: string, expected: Expected, validation: FieldValidation): DecodedBody {
  switch (mediaType) {
    case 'application/yaml':
      return decodeYaml(bytes.toString(), expected, validation)
    case 'application/vnd.kubernetes.protobuf':
      return decodeProtobuf(bytes, expected, validation)
    default:
      return decodeJson(bytes.toString(), expected, validation)
  }
}

function decodeYaml(text: string, expected: Expected, validation: FieldValidation): DecodedBody {
  let json: string
  try {
    json = yamlToJson(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) throw badRequest(`error converting YAML to JSON: ${error.message}`)
    throw error
  }
  return decodeYamlBody(json, expected, validation, () => duplicateYamlKeys(text))
}

function decodeProtobuf(bytes: Buffer, expected: Expected, validation: FieldValidation): DecodedBody {
  try {
    const envelope = openEnvelope(bytes)
    const { apiVersion, kind } = expectedOf(expected)
    if ((envelope.kind && envelope.kind !== kind) || (envelope.apiVersion && envelope.apiVersion !== apiVersion)) {
      // Another kind than the path's: the same refusal as for JSON.
      return decodeParsed({ apiVersion: envelope.apiVersion, kind: envelope.kind }, expected, validation)
    }
    return decodeParsed({ ...decodeEnvelope(expected.schema, envelope), apiVersion, kind }, expected, 'Ignore')
  } catch (error) {
    if (error instanceof ProtobufError)
      throw badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${error.message}`)
    throw error
  }
}

const expectedOf = ({ group, version, kind }: Expected) => ({
  apiVersion: group ? `${group}/${version}` : version,
  kind,
})

/** Custom objects have no Go types behind them: what does not fit their schema is for validation to say. */
async function decodeCustom(request: ApiRequest, kind: Kind, validation: FieldValidation): Promise<Draft> {
  const mediaType = mediaTypeOf(request.contentType)
  if (mediaType !== 'application/json' && mediaType !== 'application/yaml')
    throw unsupportedMediaType(['application/json', 'application/yaml'])
  const body = await readRequestBody(request)
  const text = 'bytes' in body ? body.bytes.toString() : undefined
  const value = text === undefined ? ('value' in body ? body.value : undefined) : parseText(text, mediaType)
  const { group, version, kind: name } = kind.resource
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${name}): an object is expected`)
  const given = value as Record<string, unknown>
  const apiVersion = `${group}/${version}`
  const cannot = (why: string) =>
    badRequest(`${name} in version ${JSON.stringify(version)} cannot be handled as a ${name}: ${why}`)
  if ((given['kind'] ?? name) !== name)
    throw badRequest(
      `${String(given['kind'])} in version ${JSON.stringify(version)} cannot be handled as a ${name}: unexpected kind`,
    )
  if ((given['apiVersion'] ?? apiVersion) !== apiVersion) {
    if (validation === 'Warn')
      for (const field of unknownTo(kind, given)) warn(request, `unknown field ${JSON.stringify(field)}`)
    throw badRequest(
      `the API version in the data (${String(given['apiVersion'])}) does not match the expected API version (${apiVersion})`,
    )
  }
  const problems = { unknown: [] as string[] }
  let draft: Draft
  try {
    draft = decodeObject(kind, { ...given, kind: name, apiVersion }, problems)
  } catch (error) {
    if (error instanceof DecodeError) throw cannot(error.message)
    throw error
  }
  const repeated = text !== undefined && mediaType === 'application/yaml' ? duplicateYamlKeys(text) : []
  const duplicates =
    text === undefined || mediaType === 'application/yaml'
      ? []
      : hasDuplicates(text, value)
        ? duplicateFields(text, everywhere).map((path) => `duplicate field ${JSON.stringify(path)}`)
        : []
  const unknown = problems.unknown.map((path) => `unknown field ${JSON.stringify(path)}`)
  if (validation === 'Warn') for (const each of [...repeated, ...duplicates, ...unknown]) warn(request, each)
  if (validation !== 'Strict') return draft
  const texts = [...(repeated.length > 0 ? [duplicatesText(repeated)] : []), ...duplicates, ...unknown]
  if (texts.length > 0) throw cannot(`strict decoding error: ${texts.join(', ')}`)
  return draft
}

/** The fields of an object in a version that its definition lacks: without a schema upstream knows none of them. */
function unknownTo({ resource, versions }: Kind, given: Readonly<Record<string, unknown>>): string[] {
  const [group, version = ''] = String(given['apiVersion']).split('/')
  if (group !== resource.group || versions?.includes(version)) return []
  return Object.keys(given).filter((name) => name !== 'apiVersion' && name !== 'kind' && name !== 'metadata')
}

const everywhere: Shape = { inside: true, field: () => everywhere, item: () => everywhere }
