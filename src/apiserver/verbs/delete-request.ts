import { badRequest } from '../../api/errors/api-error.ts'
import { decodeEnvelope, openEnvelope, protobufType } from '../../api/codec/protobuf/envelope.ts'
import { ProtobufError } from '../../api/codec/protobuf/read.ts'
import type { DeleteOptions } from '../../api/generated/types/meta-v1.ts'
import { definition } from '../../api/schema/builtin.ts'
import { decode } from '../../api/schema/decode.ts'
import { DecodeError } from '../../api/schema/decode-error.ts'
import { valueAnswer, type Answer } from '../answer/answer.ts'
import type { CachedObject, ObjectCache, Selection } from '../cache/cache.ts'
import { warn, type ResourceRequest } from '../request/api-request.ts'
import { deleteOptionsOf, deletionOf, type Deletion } from '../request/options.ts'
import { mediaTypeOf, parseBody, readRequestBody } from '../request/parse-body.ts'
import type { Core } from './core.ts'
import { cacheOf } from './prepared-cache.ts'
import { deleteObject, deletionStatus, isGone } from './delete.ts'
import { listQuery, type ListQuery } from './list-options.ts'
import { minimumRevision } from './revision.ts'
import { selectionOf } from './selection.ts'
import type { Operation } from './write.ts'

/** DELETE of one object. */
export async function deleteOne(core: Core, request: ResourceRequest): Promise<Answer> {
  const { kind, info } = request
  const { deletion, options } = await readDeletion(request)
  warnOfOrphans(request, deletion)
  const deleted = await deleteObject(core, writeOf(request, deletion, options), info.name, deletion)
  const code = !deleted.gone && deletion.orphanDependents === false ? 202 : 200
  const status = deletionStatus(kind, deleted)
  return status ? valueAnswer(status, code) : { type: 'object', code, kind, document: deleted.document }
}

/** Jobs leave their pods behind, which surprises people. */
function warnOfOrphans(request: ResourceRequest, { propagationPolicy, orphanDependents }: Deletion): void {
  const { group, plural } = request.kind.resource
  if (group !== 'batch' || plural !== 'jobs' || propagationPolicy || orphanDependents !== undefined) return
  warn(
    request,
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  )
}

/** So many objects of a collection are deleted at a time. */
const deletionsAtOnce = 100

/** DELETE of a collection: answers with what was there. */
export async function deleteCollection(core: Core, request: ResourceRequest): Promise<Answer> {
  const query = listQuery(request.query, false)
  const selection = selectionOf(request, query)
  const { deletion, options } = await readDeletion(request)
  warnOfOrphans(request, deletion)
  const write = writeOf(request, deletion, options)
  const cache = cacheOf(core, request.kind)
  const entries = await entriesOf(cache, selection, query)
  let next = 0
  const work = async () => {
    while (next < entries.length) {
      const entry = entries[next++]!
      await deleteEntry(core, write, entry, deletion)
    }
  }
  await Promise.all(Array.from({ length: Math.min(deletionsAtOnce, entries.length) }, work))
  return {
    type: 'list',
    kind: request.kind,
    entries,
    resourceVersion: String(cache.revision()),
    continue: '',
    remaining: undefined,
  }
}

/** What there is to delete: at a resource version, if the client says so, or a page of it. */
async function entriesOf(
  cache: ObjectCache,
  selection: Selection,
  { resourceVersion, limit }: ListQuery,
): Promise<readonly CachedObject[]> {
  if (resourceVersion === '' && limit === 0) return (await cache.list(selection)).entries
  // Upstream reads pages, and a page of a resource version is of exactly that one.
  const revision = resourceVersion === '' || resourceVersion === '0' ? undefined : minimumRevision(resourceVersion)
  return (await cache.list({ ...selection, limit: limit || undefined, revision })).entries
}

async function deleteEntry(core: Core, write: Operation, entry: CachedObject, deletion: Deletion): Promise<void> {
  try {
    await deleteObject(core, { ...write, namespace: entry.namespace }, entry.name, { ...deletion })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function readDeletion(request: ResourceRequest): Promise<{ deletion: Deletion; options: DeleteOptions }> {
  const body = await readRequestBody(request)
  const empty = 'value' in body ? body.value === undefined || body.value === null : body.bytes.length === 0
  let options: DeleteOptions
  if (empty) options = deleteOptionsOf(request.query)
  else {
    const mediaType = mediaTypeOf(request.contentType)
    if (mediaType === protobufType && 'bytes' in body) options = decodeProtobuf(body.bytes)
    else options = decodeOptions(await parseBody({ ...request, body: () => Promise.resolve(body) }, mediaType))
  }
  return { deletion: deletionOf(options), options }
}

/** Clients seal the options as a kind of the group they speak to: any apiVersion is right. */
function decodeProtobuf(bytes: Buffer): DeleteOptions {
  try {
    return decodeOptions(decodeEnvelope(definition('apimachinery.pkg.apis.meta.v1.DeleteOptions'), openEnvelope(bytes)))
  } catch (error) {
    if (error instanceof ProtobufError) throw badRequest(error.message)
    throw error
  }
}

function decodeOptions(value: unknown): DeleteOptions {
  const { kind, apiVersion = '' } = (value ?? {}) as Partial<DeleteOptions>
  // Somebody who sends the object itself means something else than what would be done.
  if (kind && kind !== 'DeleteOptions')
    throw badRequest(`${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as DeleteOptions`)
  try {
    return decode(definition('apimachinery.pkg.apis.meta.v1.DeleteOptions'), value) as DeleteOptions
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message)
    throw error
  }
}

const writeOf = (
  { kind, info, user, warnings }: ResourceRequest,
  { dryRun }: Deletion,
  options: DeleteOptions,
): Operation => ({
  kind,
  subresource: '',
  namespace: info.namespace,
  user,
  warnings,
  dryRun,
  options: { ...options, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' },
})
