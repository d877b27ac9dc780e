import type { WatchAnswer } from '../answer/answer.ts'
import type { CacheWatchOptions } from '../cache/cache.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import type { Core } from './core.ts'
import { cacheOf } from './prepared-cache.ts'
import { listQuery, type ListQuery } from './list-options.ts'
import { minimumRevision } from './revision.ts'
import { selectionOf } from './selection.ts'

/** A watch without a time-out of its own lasts between once and twice this long, so that not all end together. */
const timeoutMinMs = 1800_000

/** A watch of a collection, or of one object by its name. */
export function watch(core: Core, request: ResourceRequest): WatchAnswer {
  const options = listQuery(request.query, true)
  const timeoutMs = options.timeoutSeconds ? options.timeoutSeconds * 1000 : timeoutMinMs * (1 + core.random.number())
  return {
    type: 'watch',
    kind: request.kind,
    cache: cacheOf(core, request.kind),
    options: { ...selectionOf(request, options), from: startOf(options), bookmarks: options.allowWatchBookmarks },
    timeoutMs,
  }
}

function startOf({ resourceVersion, sendInitialEvents, allowWatchBookmarks }: ListQuery): CacheWatchOptions['from'] {
  const legacy = resourceVersion === '' || resourceVersion === '0'
  if (sendInitialEvents) return allowWatchBookmarks ? 'initial-with-bookmark' : 'initial'
  if (legacy) return sendInitialEvents === false ? 'now' : 'initial'
  return minimumRevision(resourceVersion)
}
