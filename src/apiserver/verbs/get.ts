import { notFound } from '../../api/errors/api-error.ts'
import type { ObjectAnswer } from '../answer/answer.ts'
import type { CachedObject } from '../cache/cache.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { storageOf, type Core } from './core.ts'
import { minimumRevision } from './revision.ts'

/** GET of one object: the newest, or one that is not older than the asked resource version. */
export function get(core: Core, request: ResourceRequest): ObjectAnswer | Promise<ObjectAnswer> {
  const { kind, info, query } = request
  const storage = storageOf(core, kind)
  const asked = query.get('resourceVersion')
  if (asked === undefined || asked === '' || asked === '0')
    return answer(request, storage.get(info.namespace, info.name))
  return storage.cache
    .waitForRevision(minimumRevision(asked))
    .then(() => answer(request, storage.get(info.namespace, info.name)))
}

function answer({ kind, info }: ResourceRequest, entry: CachedObject | undefined): ObjectAnswer {
  if (!entry) throw notFound(kind.resource, info.name)
  return { type: 'object', code: 200, kind, document: entry.document }
}
