import { conversionOf } from '../../api/apply/conversion.ts'
import { clearsManagedFields } from '../../api/apply/update-managed-fields.ts'
import { serverSideApply } from '../../api/apply/server-side-apply.ts'
import { resetFieldsOf } from '../../api/apply/reset-fields.ts'
import { duplicateFields, hasDuplicates, parseJson, SyntaxProblem, type Shape } from '../../api/codec/json.ts'
import { duplicatesText, duplicateYamlKeys } from '../../api/codec/yaml.ts'
import { ApiError, badRequest, conflict, invalid, unsupportedMediaType } from '../../api/errors/api-error.ts'
import type { Kind } from '../../api/kind.ts'
import { applyPatch, patchTypes } from '../../api/patch/apply-patch.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { DecodeError } from '../../api/schema/decode-error.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import type { ObjectAnswer } from '../answer/answer.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { warn, type ResourceRequest } from '../request/api-request.ts'
import { writeOptions, type WriteOptions } from '../request/options.ts'
import { mediaTypeOf, parseText, readRequestBody } from '../request/parse-body.ts'
import type { Core } from './core.ts'
import { writeOf } from './create.ts'
import { decodeObject } from './kind-codec.ts'
import { matchNamespace } from './metadata.ts'
import { recordFields, updateObject, type Write } from './write.ts'

const applyTypes: ReadonlySet<string> = new Set(['application/apply-patch+yaml', 'application/apply-patch+json'])

/** PATCH of an object, or of a subresource that is stored in it. */
export async function patch(core: Core, request: ResourceRequest): Promise<ObjectAnswer> {
  const { kind, info } = request
  const { write, change, applying: creates } = await readPatch(core, request, kind)
  const { document, action } = await updateObject(core, {
    ...write,
    name: info.name,
    createIfMissing: creates && write.subresource === '',
    unconditional: true,
    produce: change,
  })
  return { type: 'object', code: action === 'create' ? 201 : 200, kind, document }
}

/** Makes the patched object of the present one, which is absent only for an apply patch that creates. */
export type Change = (old: Frozen<KubernetesObject> | undefined) => Draft

/** Reads a patch of objects of `kind`: the request's own, or the one that its subresource speaks (Scale). */
export async function readPatch(
  core: Core,
  request: ResourceRequest,
  kind: Kind,
): Promise<{ write: Write; change: Change; applying: boolean }> {
  const mediaType = mediaTypeOf(request.contentType ?? 'none')
  const applying = applyTypes.has(mediaType)
  if (!applying && (patchTypes[mediaType] === undefined || (kind.custom && patchTypes[mediaType] === 'strategic'))) {
    const refused = unsupportedMediaType(acceptedTypes(kind))
    throw kind.custom ? refused : new ApiError({ ...refused.status, details: {} })
  }
  const options = writeOptions(request.query, 'PatchOptions', applying)
  const patching: Patching = {
    kind,
    write: writeOf(request, options, 'PatchOptions'),
    options,
    parsed: await parsePatch(request, mediaType),
  }
  const change = applying
    ? applyChange(core, request, patching)
    : patchChange(core, request, { ...patching, mediaType })
  return { write: patching.write, change: (old) => checked(request, change(old), old), applying }
}

/** What patches of a kind may be. */
export const acceptedTypes = (kind: Kind): string[] => [
  ...Object.keys(patchTypes).filter((type) => !kind.custom || patchTypes[type] !== 'strategic'),
  'application/apply-patch+yaml',
  'application/apply-patch+cbor',
]

/** A patch's body, and the fields that are in it twice. */
interface ParsedPatch {
  readonly value: unknown
  readonly duplicates: readonly string[]
}

async function parsePatch(request: ResourceRequest, mediaType: string): Promise<ParsedPatch> {
  const body = await readRequestBody(request)
  if ('value' in body) return { value: body.value, duplicates: [] }
  const text = body.bytes.toString()
  if (!applyTypes.has(mediaType)) {
    const value = parseText(text, 'application/json')
    return {
      value,
      duplicates: hasDuplicates(text, value)
        ? duplicateFields(text, anyShape).map((path) => `duplicate field ${JSON.stringify(path)}`)
        : [],
    }
  }
  const json = jsonOf(text)
  if (json !== undefined) return { value: json, duplicates: [] }
  try {
    return { value: parseText(text, 'application/yaml'), duplicates: duplicateYamlKeys(text) }
  } catch (error) {
    if (error instanceof ApiError) throw badRequest(`error decoding YAML: ${error.message}`)
    throw error
  }
}

/** YAML that is plain JSON, as clients send it, is read at a tenth of the cost; undefined for all else, and for what has a mistake to be told of. */
function jsonOf(text: string): unknown {
  if (!text.startsWith('{')) return undefined
  try {
    const value = parseJson(text)
    return hasDuplicates(text, value) ? undefined : value
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined
    throw error
  }
}

/** Every field is looked into. */
const anyShape: Shape = { inside: true, field: () => anyShape, item: () => anyShape }

interface Patching {
  readonly kind: Kind
  readonly write: Write
  readonly options: WriteOptions
  readonly parsed: ParsedPatch
}

function patchChange(
  core: Core,
  request: ResourceRequest,
  { kind, write, options, parsed, mediaType }: Patching & { mediaType: string },
): Change {
  return (old) => {
    // Only an apply patch creates, so there is an old object.
    const patched = applyPatch({ type: patchTypes[mediaType]!, schema: kind.schema, old: old!, patch: parsed.value })
    const draft = decodePatched(request, { kind, patched, options, duplicates: parsed.duplicates })
    recordFields(core, { ...write, kind }, draft, old)
    return draft
  }
}

function applyChange(core: Core, request: ResourceRequest, { kind, write, options, parsed }: Patching): Change {
  if (parsed.duplicates.length > 0) {
    const texts = parsed.duplicates
    if (options.fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${duplicatesText(texts)}`)
    if (options.fieldValidation === 'Warn') for (const text of texts) warn(request, text)
  }
  return (old) => {
    const applied = serverSideApply({
      schema: kind.schema,
      apiVersion: apiVersionOf(kind.resource),
      kind: kind.resource.kind,
      live: old,
      applied: parsed.value,
      manager: options.fieldManager,
      force: options.force === true,
      subresource: write.subresource,
      nowMs: core.clock.now(),
      resetFields: resetFieldsOf(kind, write.subresource),
      convert: conversionOf(core.kinds, kind),
    })
    return decodePatched(request, { kind, patched: applied, options, duplicates: [], applied: true })
  }
}

/** What a patch made of an object. */
interface Patched {
  readonly kind: Kind
  readonly patched: unknown
  readonly options: WriteOptions
  readonly duplicates: readonly string[]
  /** By an apply patch. */
  readonly applied?: boolean
}

/** A patched object as a draft: its fields have to fit the schema as if a client had sent it, only that the errors are the patch's. */
function decodePatched(
  request: ResourceRequest,
  { kind, patched, options, duplicates, applied = false }: Patched,
): Draft {
  const problems = { unknown: [] as string[] }
  let draft: Draft
  try {
    checkType(kind, patched)
    const { decodeApplied } = kind.schema
    draft =
      applied && decodeApplied
        ? (decodeApplied(patched as object) as unknown as Draft)
        : decodeObject(kind, patched, options.fieldValidation === 'Ignore' ? undefined : problems)
  } catch (error) {
    if (error instanceof DecodeError) throw invalidPatch(patched, error.message)
    throw error
  }
  const texts = [...duplicates, ...problems.unknown.map((path) => `unknown field ${JSON.stringify(path)}`)]
  if (texts.length > 0 && options.fieldValidation === 'Strict')
    throw invalidPatch(patched, `strict decoding error: ${texts.join(', ')}`)
  if (options.fieldValidation === 'Warn') for (const text of texts) warn(request, text)
  draft.apiVersion = apiVersionOf(kind.resource)
  draft.kind = kind.resource.kind
  draft.metadata ??= {}
  if (clearsManagedFields(patched)) draft.metadata.managedFields = []
  kind.behaviour.defaults?.(draft)
  return draft
}

/** A patch cannot make another kind of the object. */
function checkType(kind: Kind, patched: unknown): void {
  const { apiVersion, kind: name } = patched as KubernetesObject
  const expected = apiVersionOf(kind.resource)
  if ((apiVersion && apiVersion !== expected) || (name && name !== kind.resource.kind))
    throw invalidPatch(
      patched,
      `${name} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind.resource.kind}`,
    )
}

function invalidPatch(patched: unknown, why: string): ApiError {
  const errors = new FieldErrors()
  errors.invalid(field('patch'), JSON.stringify(patched), why)
  return invalid('', '', '', errors)
}

function checked(request: ResourceRequest, draft: Draft, old: Frozen<KubernetesObject> | undefined): Draft {
  const { kind, info } = request
  if (!old && draft.metadata.uid)
    throw conflict(
      kind.resource,
      info.name,
      `uid mismatch: the provided object specified uid ${draft.metadata.uid}, and no existing object was found`,
    )
  if (!old && !draft.metadata.name) draft.metadata.name = info.name
  if (draft.metadata.name !== info.name)
    throw badRequest(
      `the name of the object (${draft.metadata.name}) does not match the name on the URL (${info.name})`,
    )
  if (kind.resource.namespaced && draft.metadata.namespace && draft.metadata.namespace !== info.namespace) {
    throw badRequest(
      `the namespace of the object (${draft.metadata.namespace}) does not match the namespace on the URL (${info.namespace})`,
    )
  }
  matchNamespace(draft, kind, info.namespace)
  return draft
}
