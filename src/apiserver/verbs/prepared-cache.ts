import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type {
  CachedObject,
  CacheEvent,
  CacheList,
  CacheListOptions,
  CacheWatch,
  CacheWatchOptions,
  EventBatch,
  ObjectCache,
  Selection,
  WatchSink,
} from '../cache/cache.ts'
import { served, storageOf, type Core } from './core.ts'

/** The cache to list and watch a kind in. */
export function cacheOf(core: Core, kind: Kind): ObjectCache {
  const { cache } = storageOf(core, kind)
  return needsPreparing(kind) ? new PreparedCache(kind, cache) : cache
}

/** Whether a kind's objects have to be looked at in its own version: they take time to convert, or are selected by fields of theirs. */
const needsPreparing = ({ storedAs, behaviour }: Kind): boolean =>
  storedAs !== undefined && (storedAs.prepare !== undefined || behaviour.fields !== undefined)

/** Makes objects ready to be shown in a kind's version. */
export async function prepare({ storedAs }: Kind, objects: readonly Frozen<KubernetesObject>[]): Promise<void> {
  await storedAs?.prepare?.('fromStored', objects)
}

/** The cache of a kind's objects as that kind's version has them: converted before they are given, selected by the fields of that version. */
class PreparedCache implements ObjectCache {
  readonly #kind: Kind
  readonly #cache: ObjectCache

  constructor(kind: Kind, cache: ObjectCache) {
    this.#kind = kind
    this.#cache = cache
  }

  get prefix(): string {
    return this.#cache.prefix
  }

  revision(): number {
    return this.#cache.revision()
  }

  get(key: string): CachedObject | undefined {
    return this.#cache.get(key)
  }

  count(namespace?: string): number {
    return this.#cache.count(namespace)
  }

  listNow(selection?: Selection): readonly CachedObject[] {
    return this.#cache.listNow(selection)
  }

  waitForRevision(revision: number): Promise<void> {
    return this.#cache.waitForRevision(revision)
  }

  close(): void {
    this.#cache.close()
  }

  async list(options: CacheListOptions = {}): Promise<CacheList> {
    if (!options.fields) {
      const page = await this.#cache.list(options)
      await this.#prepare(page.entries)
      return page
    }
    const { limit = Infinity, ...rest } = options
    const page = await this.#cache.list(withoutFields(rest))
    await this.#prepare(page.entries)
    const found = page.entries.filter((entry) => this.#selects(options, entry))
    return { entries: found.slice(0, limit), revision: page.revision, more: found.length > limit, remaining: undefined }
  }

  async watch(options: CacheWatchOptions, sink: WatchSink): Promise<CacheWatch> {
    const { encoding, from } = options
    const selected = new Set<string>()
    if (options.fields && (typeof from === 'number' || from === 'now')) {
      const { entries } = await this.list({ ...options, ...(typeof from === 'number' && { revision: from }) }).catch(
        () => ({ entries: [] }),
      )
      for (const { key } of entries) selected.add(key)
    }
    let tail = Promise.resolve()
    let closed = false
    let resume = (): void => {}
    const send = async (events: readonly CacheEvent[]): Promise<void> => {
      await this.#prepare(events.flatMap(({ object, type }) => (object && type !== 'BOOKMARK' ? [object] : [])))
      const told = options.fields ? events.flatMap((event) => this.#transition(options, event, selected)) : events
      if (closed || told.length === 0) return
      const batch: EventBatch = {
        events: told,
        get bytes() {
          const pieces = told.map((event) => encoding!.encode(event))
          return encoding!.frame ? encoding!.frame(pieces) : Buffer.concat(pieces)
        },
      }
      if (!sink.deliver(batch)) await new Promise<void>((ready) => (resume = ready))
    }
    const end = (): void => {
      if (!closed) sink.end()
      closed = true
    }
    const { encoding: _encoding, ...inner } = options
    const watch = await this.#cache.watch(withoutFields(inner), {
      deliver({ events }) {
        // One after the other; a conversion that fails ends the watch, and the client starts anew.
        tail = tail.then(() => send(events)).catch(end)
        return true
      },
      end: () => void tail.then(end),
    })
    return {
      resume: () => resume(),
      bookmark: () => watch.bookmark(),
      close() {
        closed = true
        resume()
        watch.close()
      },
    }
  }

  #prepare(entries: readonly CachedObject[]): Promise<void> {
    return prepare(
      this.#kind,
      entries.map(({ object }) => object),
    )
  }

  #selects({ fields }: Selection, entry: CachedObject): boolean {
    if (!fields) return true
    const object = served(this.#kind, entry.object)
    return fields((name) => this.#kind.behaviour.fields?.[name]?.(object) ?? entry.field(name))
  }

  /** What a change of an object is for a watch that selects by fields: it may come into sight or go out of it. */
  #transition(options: Selection, event: CacheEvent, selected: Set<string>): CacheEvent[] {
    const { object, type } = event
    if (!object || type === 'BOOKMARK') return [event]
    const was = selected.has(object.key)
    const is = type !== 'DELETED' && this.#selects(options, object)
    if (is) selected.add(object.key)
    else selected.delete(object.key)
    if (is)
      return [{ ...event, type: was ? 'MODIFIED' : 'ADDED', revision: event.revision, object, initialEventsEnd: false }]
    return was ? [{ ...event, type: 'DELETED', revision: event.revision, object, initialEventsEnd: false }] : []
  }
}

function withoutFields<T extends Selection>(selection: T): T {
  const { fields: _fields, fieldEquals: _equals, text: _text, ...rest } = selection
  return rest as T
}
