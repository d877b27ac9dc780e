import type { KubernetesObject, Resource } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../client.ts'
import { ObjectCache, type Informer } from './informer.ts'
import { reflect, type Selection } from './reflector.ts'

export type { Informer } from './informer.ts'
export type { Selection } from './reflector.ts'

interface Running {
  readonly cache: ObjectCache<KubernetesObject>
  readonly stop: AbortController
  readonly done: Promise<void>
}

/**
 * The informers of one process: whoever asks for the same objects shares one list, one watch and one cache.
 *
 *     const pods = informers.of(pods)
 *     pods.on({ added: (pod) => queue.add(key(pod)) })
 *     await pods.synced
 */
export class Informers {
  readonly #deps: Deps
  readonly #client: Client
  readonly #running = new Map<string, Running>()
  readonly #closed = new AbortController()

  constructor(options: { readonly deps: Deps; readonly client: Client }) {
    this.#deps = options.deps
    this.#client = options.client
  }

  /** The informer of a resource; the first one to ask starts it. */
  of<T extends KubernetesObject>(resource: Resource<T>, selection: Selection = {}): Informer<T> {
    const whole = idOf(resource, { ...selection, metadataOnly: false })
    const id = selection.metadataOnly && !this.#running.has(whole) ? idOf(resource, selection) : whole
    let running = this.#running.get(id)
    if (!running) this.#running.set(id, (running = this.#start(resource, selection)))
    // Kept under the resource's own name, so it holds the resource's own objects.
    return running.cache as unknown as Informer<T>
  }

  /** Resolves when every informer that was asked for so far has its objects. */
  async synced(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ cache }) => cache.synced))
  }

  /** The resources whose objects are not all here yet. */
  unsynced(): string[] {
    return [...this.#running.values()]
      .filter(({ cache }) => !cache.hasSynced())
      .map(({ cache }) => cache.resource.plural)
  }

  /** Ends the informer of a resource that is served no longer; its handlers hear of every object's removal. */
  async stop(resource: Resource, selection: Selection = {}): Promise<void> {
    const id = idOf(resource, selection)
    const running = this.#running.get(id)
    if (!running) return
    this.#running.delete(id)
    running.stop.abort(new Error(`the informer of ${resource.plural} is stopped`))
    await running.done
    running.cache.retain(new Set())
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the informers are closed'))
    await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  #start(resource: Resource, selection: Selection): Running {
    const cache = new ObjectCache(resource, this.#deps.log)
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, this.#closed.signal])
    const done = reflect({ deps: this.#deps, client: this.#client, resource, selection, cache, signal })
    return { cache, stop, done }
  }
}

function idOf(
  resource: Resource,
  { namespace = '', labelSelector = '', fieldSelector = '', metadataOnly }: Selection,
): string {
  return `${resource.group}/${resource.version}/${resource.plural}?${namespace}&${labelSelector}&${fieldSelector}&${metadataOnly ? 'metadata' : ''}`
}
