import { ApiError, isExpired, isInvalid } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { keyOf, keyText } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../client.ts'
import { versionNumber } from '../object.ts'
import type { ObjectCache } from './informer.ts'

/** Which objects an informer holds. */
export interface Selection {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Only the metadata is needed: over HTTPS only that is asked for. */
  readonly metadataOnly?: boolean
}

/** What a reflector works with. */
export interface ReflectorOptions<T extends KubernetesObject> {
  readonly deps: Deps
  readonly client: Client
  readonly resource: Resource<T>
  readonly selection: Selection
  readonly cache: ObjectCache<T>
  readonly signal: AbortSignal
}

/** Upstream's back-off for lists and watches that fail: from 800 ms, doubled up to 30 s, plus up to as much again by chance; forgotten after 2 minutes without failure. */
const backoffFirstMs = 800
const backoffMaxMs = 30_000
const backoffForgetMs = 120_000
/** A watch lasts this long to twice as long; then the next one resumes where it ended. */
const watchSeconds = 300
/** A watch that ends sooner and led no further is no success: the next one waits. */
const shortWatchMs = 1000
/** A large list is taken over in pieces of this many objects, with a turn for others in between. */
const chunk = 1000

/** Keeps a cache in step with the server until the signal is aborted: lists once, then watches from there, and lists again only when the server has forgotten where we were. */
export async function reflect<T extends KubernetesObject>(options: ReflectorOptions<T>): Promise<void> {
  const { deps, signal, resource } = options
  const backoff = new Backoff(deps)
  let from: string | undefined
  // After a version that the server no longer has, or does not understand, a consistent list is asked for; else its cache is good enough.
  let fresh = false
  while (!signal.aborted) {
    try {
      if (from === undefined) from = await takeList(options, fresh)
      fresh = false
      from = await follow(options, from, backoff)
    } catch (error) {
      if (signal.aborted) return
      if (isExpired(error) || isInvalid(error)) {
        from = undefined
        fresh = true
      } else if (error instanceof ApiError && error.code === 404 && from === undefined)
        deps.log.debug({ resource: resource.plural }, 'the resource is not served')
      else
        deps.log.debug(
          { err: error, resource: resource.plural, group: resource.group },
          'list or watch failed; it is tried again',
        )
    }
    try {
      await backoff.wait(signal)
    } catch {
      return // aborted
    }
  }
}

async function takeList<T extends KubernetesObject>(options: ReflectorOptions<T>, fresh: boolean): Promise<string> {
  const { client, resource, selection, cache, signal, deps } = options
  const list = await client.list(resource, {
    ...selection,
    signal,
    trimmed: true,
    ...(!fresh && { resourceVersion: '0' }),
  })
  const keys = new Set<string>()
  let taken = 0
  for (const item of list.items) {
    keys.add(keyText(keyOf(item)))
    cache.put(item)
    if (++taken % chunk === 0) await deps.clock.yield()
  }
  cache.retain(keys)
  cache.setVersion(versionNumber(list.resourceVersion))
  cache.markSynced()
  return list.resourceVersion
}

/** One watch, from its begin to its end; resolves with the version to go on from. */
async function follow<T extends KubernetesObject>(
  options: ReflectorOptions<T>,
  from: string,
  backoff: Backoff,
): Promise<string> {
  const { client, resource, selection, cache, signal, deps } = options
  const timeoutSeconds = Math.round(watchSeconds * (1 + deps.random.number()))
  const startedMs = deps.clock.now()
  let version = from
  let seen = 0
  try {
    for await (const event of client.watch(resource, {
      ...selection,
      signal,
      trimmed: true,
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds,
    })) {
      seen++
      version = event.object.metadata?.resourceVersion ?? version
      take(cache, event.type, event.object)
      cache.setVersion(versionNumber(version))
    }
  } catch (error) {
    // What was heard until then counts, unless the server says that it forgot.
    if (isExpired(error) || seen === 0) throw error
    deps.log.debug({ err: error, resource: resource.plural }, 'a watch broke off; it resumes')
  }
  if (version !== from || deps.clock.now() - startedMs >= shortWatchMs) backoff.reset()
  return version
}

function take<T extends KubernetesObject>(cache: ObjectCache<T>, type: string, object: Frozen<T>): void {
  if (type === 'ADDED' || type === 'MODIFIED') cache.put(object)
  else if (type === 'DELETED') cache.remove(object)
}

class Backoff {
  readonly #deps: Deps
  #nextMs = 0
  #lastMs = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  reset(): void {
    this.#nextMs = 0
  }

  async wait(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps
    if (clock.now() - this.#lastMs > backoffForgetMs) this.#nextMs = 0
    const ms = this.#nextMs * (1 + random.number())
    // A watch that ended in the usual way is followed by the next one at once, and one that was too old by a list.
    this.#nextMs = Math.min(backoffMaxMs, Math.max(backoffFirstMs, this.#nextMs * 2))
    this.#lastMs = clock.now()
    if (ms > 0) await clock.sleep(ms, signal)
    else signal.throwIfAborted()
  }
}
