import { badRequest, methodNotSupported } from '../../api/errors/api-error.ts'
import type { ObjectAnswer } from '../answer/answer.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeBody } from '../request/decode-body.ts'
import { writeOptions, type WriteOptions } from '../request/options.ts'
import type { Core } from './core.ts'
import { matchNamespace, wipeSystemFields } from './metadata.ts'
import { createObject, recordFields, type Write } from './write.ts'

/** POST to a collection. */
export async function create(core: Core, request: ResourceRequest): Promise<ObjectAnswer> {
  const { kind, info } = request
  if (kind.resource.namespaced && info.namespace === '') throw methodNotSupported(kind.resource, 'create')
  const options = writeOptions(request.query, 'CreateOptions')
  const draft = await decodeBody(request, kind, options.fieldValidation)
  wipeSystemFields(draft)
  matchNamespace(draft, kind, info.namespace)
  if (draft.metadata.resourceVersion && !options.dryRun)
    throw badRequest('resourceVersion should not be set on objects to be created')
  const write = writeOf(request, options, 'CreateOptions')
  recordFields(core, write, draft, undefined)
  const { document } = await createObject(core, write, draft)
  return { type: 'object', code: 201, kind, document }
}

/** What a request's writes have in common. */
export function writeOf(request: ResourceRequest, options: WriteOptions, kind: string): Write {
  const { info, user, warnings, subresource, userAgent } = request
  return {
    kind: request.kind,
    subresource: subresource?.name ?? '',
    namespace: info.namespace,
    user,
    warnings,
    dryRun: options.dryRun,
    options: optionsObject(kind, options),
    fieldManager: options.fieldManager,
    userAgent,
  }
}

/** Options as an object of the API, for webhooks. */
function optionsObject(kind: string, { dryRun, fieldManager, fieldValidation, force }: WriteOptions) {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun && { dryRun: ['All'] }),
    ...(fieldManager !== '' && { fieldManager }),
    fieldValidation,
    ...(force !== undefined && { force }),
  }
}
