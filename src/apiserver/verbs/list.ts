import { ApiError, badRequest } from '../../api/errors/api-error.ts'
import type { ListAnswer } from '../answer/answer.ts'
import type { CacheList, ObjectCache, Selection } from '../cache/cache.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { continueToken, parseContinueToken } from './continue-token.ts'
import type { Core } from './core.ts'
import { cacheOf } from './prepared-cache.ts'
import { listQuery, type ListQuery } from './list-options.ts'
import { minimumRevision } from './revision.ts'
import { selectionOf } from './selection.ts'

/** A list, or a page of one. */
export async function list(core: Core, request: ResourceRequest): Promise<ListAnswer> {
  const options = listQuery(request.query, false)
  const selection = selectionOf(request, options)
  const cache = cacheOf(core, request.kind)
  const page = await read(cache, selection, options)
  const last = page.entries.at(-1)
  return {
    type: 'list',
    kind: request.kind,
    entries: page.entries,
    resourceVersion: String(page.revision),
    continue: page.more && last ? continueToken({ after: last.key, revision: page.revision }) : '',
    remaining: page.more ? page.remaining : undefined,
  }
}

async function read(cache: ObjectCache, selection: Selection, options: ListQuery): Promise<CacheList> {
  const limit = options.limit || undefined
  if (options.continue !== '') {
    if (options.resourceVersion !== '' && options.resourceVersion !== '0')
      throw badRequest('specifying resource version is not allowed when using continue')
    return readOn(cache, selection, limit, options.continue)
  }
  const { resourceVersion, resourceVersionMatch } = options
  if (resourceVersion === '' || resourceVersion === '0') return cache.list({ ...selection, limit })
  const revision = minimumRevision(resourceVersion)
  // Without a match, a limit means exactly this version, as ever.
  if (resourceVersionMatch === 'Exact' || (resourceVersionMatch === '' && limit !== undefined))
    return cache.list({ ...selection, limit, revision })
  await cache.waitForRevision(revision)
  return cache.list({ ...selection, limit })
}

async function readOn(
  cache: ObjectCache,
  selection: Selection,
  limit: number | undefined,
  token: string,
): Promise<CacheList> {
  const { after, revision } = parseContinueToken(token)
  if (revision === -1) return cache.list({ ...selection, limit, after })
  try {
    return await cache.list({ ...selection, limit, after, revision })
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 410) throw error
    throw new ApiError({
      ...error.status,
      message: expiredText,
      metadata: { continue: continueToken({ after, revision: -1 }) },
    })
  }
}

const expiredText =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
