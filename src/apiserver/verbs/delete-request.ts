import { badRequest } from '../../api/errors/api-error.ts'
import { decodeEnvelope, openEnvelope, protobufType } from '../../api/codec/protobuf/envelope.ts'
import { ProtobufError } from '../../api/codec/protobuf/read.ts'
import type { DeleteOptions } from '../../api/generated/types/meta-v1.ts'
import { definition } from '../../api/schema/builtin.ts'
import { decode, DecodeError } from '../../api/schema/decode.ts'
import { valueAnswer, type Answer } from '../answer/answer.ts'
import type { CachedObject } from '../cache/cache.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { deleteOptionsOf, deletionOf, type Deletion } from '../request/options.ts'
import { mediaTypeOf, parseBody, readRequestBody } from '../request/parse-body.ts'
import { storageOf, type Core } from './core.ts'
import { deleteObject, deletionStatus, isGone } from './delete.ts'
import { listQuery } from './list-options.ts'
import { selectionOf } from './selection.ts'
import type { Write } from './write.ts'

/** DELETE of one object. */
export async function deleteOne(core: Core, request: ResourceRequest): Promise<Answer> {
  const { kind, info } = request
  const { deletion, options } = await readDeletion(request)
  const deleted = await deleteObject(core, writeOf(request, deletion, options), info.name, deletion)
  const code = !deleted.gone && deletion.orphanDependents === false ? 202 : 200
  const status = deletionStatus(kind, deleted)
  return status ? valueAnswer(status, code) : { type: 'object', code, kind, document: deleted.document }
}

/** So many objects of a collection are deleted at a time. */
const deletionsAtOnce = 100

/** DELETE of a collection: answers with what was there. */
export async function deleteCollection(core: Core, request: ResourceRequest): Promise<Answer> {
  const selection = selectionOf(request, listQuery(request.query, false))
  const { deletion, options } = await readDeletion(request)
  const write = writeOf(request, deletion, options)
  const { cache } = storageOf(core, request.kind)
  const entries = cache.listNow(selection)
  let next = 0
  const work = async () => {
    while (next < entries.length) {
      const entry = entries[next++]!
      await deleteEntry(core, write, entry, deletion)
    }
  }
  await Promise.all(Array.from({ length: Math.min(deletionsAtOnce, entries.length) }, work))
  return { type: 'list', kind: request.kind, entries, resourceVersion: String(cache.revision()), continue: '', remaining: undefined }
}

async function deleteEntry(core: Core, write: Write, entry: CachedObject, deletion: Deletion): Promise<void> {
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
  try {
    return decode(definition('apimachinery.pkg.apis.meta.v1.DeleteOptions'), value) as DeleteOptions
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message)
    throw error
  }
}

const writeOf = ({ kind, info, user, warnings }: ResourceRequest, { dryRun }: Deletion, options: DeleteOptions): Write => ({
  kind,
  subresource: '',
  namespace: info.namespace,
  user,
  warnings,
  dryRun,
  options: { ...options, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' },
})
