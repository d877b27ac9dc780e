import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Store } from '../../store/store.ts'
import type { CachedObject, ObjectCache } from '../cache/cache.ts'
import { openObjectCache } from '../cache/object-cache.ts'
import { ResourceStorage } from './resource-storage.ts'

/** Field selectors that are asked for so often that they have an index. */
const indexedFields: Readonly<Record<string, readonly string[]>> = { '/registry/pods/': ['spec.nodeName'] }

/** What of the registry others may look at: present objects, by reference, at once. */
export interface Lookup {
  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Frozen<T> | undefined
  /** All objects (of a namespace). */
  list<T extends KubernetesObject>(resource: Resource<T>, namespace?: string): readonly Frozen<T>[]
}

/** All stored resources: one storage and cache for each, shared by the versions that the resource is served in. */
export class Registry implements Lookup {
  readonly #deps: Deps & { readonly store: Store }
  readonly #byPrefix = new Map<string, ResourceStorage>()
  readonly #byResource = new Map<string, ResourceStorage>()

  constructor(deps: Deps & { readonly store: Store }) {
    this.#deps = deps
    deps.metrics.family(
      'apiserver_resource_objects',
      'Number of stored objects at the time of last check split by kind.',
      'gauge',
      (out) => {
        for (const { kind, cache } of this.#byPrefix.values()) {
          const { group, plural } = kind.resource
          out.push(`apiserver_resource_objects{group="${group}",resource="${plural}"} ${cache.count()}`)
        }
      },
    )
  }

  /** Opens the storage of a kind; of one that is open already nothing happens. */
  async open(kind: Kind): Promise<ResourceStorage> {
    const stored = kind.storedAs?.kind() ?? kind
    let storage = this.#byPrefix.get(stored.storagePrefix)
    if (!storage) {
      const cache = await this.#openCache(stored)
      storage = this.#byPrefix.get(stored.storagePrefix) ?? new ResourceStorage(stored, cache, this.#deps.store)
      this.#byPrefix.set(stored.storagePrefix, storage)
    }
    this.#byResource.set(nameOf(kind.resource), storage)
    return storage
  }

  /** Opens the storage of a kind anew, since its fields or its shape have changed; watches of what was there end. */
  async reopen(kind: Kind): Promise<void> {
    const cache = await this.#openCache(kind)
    const before = this.#byPrefix.get(kind.storagePrefix)
    const storage = new ResourceStorage(kind, cache, this.#deps.store)
    this.#byPrefix.set(kind.storagePrefix, storage)
    this.#byResource.set(nameOf(kind.resource), storage)
    before?.cache.close()
  }

  /** Lets an open storage be found by a kind that shares it. */
  alias(kind: Kind): void {
    const storage = this.#byPrefix.get(kind.storagePrefix)
    if (storage) this.#byResource.set(nameOf(kind.resource), storage)
  }

  /** The open storage behind a kind. */
  storageOf(kind: Kind): ResourceStorage {
    const storage = this.#byPrefix.get((kind.storedAs?.kind() ?? kind).storagePrefix)
    if (!storage) throw new Error(`the storage of ${kind.resource.plural} is not open`)
    return storage
  }

  /** The storage of a resource by its group and plural; undefined when it is not open. */
  storageOfResource(resource: { group: string; plural: string }): ResourceStorage | undefined {
    return this.#byResource.get(nameOf(resource))
  }

  storages(): Iterable<ResourceStorage> {
    return this.#byPrefix.values()
  }

  /** Closes one storage, of a custom kind that is gone. */
  drop(kind: Kind): void {
    const storage = this.#byPrefix.get(kind.storagePrefix)
    if (!storage) return
    storage.cache.close()
    this.#byPrefix.delete(kind.storagePrefix)
    for (const [name, each] of this.#byResource) if (each === storage) this.#byResource.delete(name)
  }

  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Frozen<T> | undefined {
    return this.cached(resource, key)?.object as Frozen<T> | undefined
  }

  cached(resource: Resource, { namespace = '', name }: ObjectKey): CachedObject | undefined {
    return this.#byResource.get(nameOf(resource))?.get(namespace, name)
  }

  list<T extends KubernetesObject>(resource: Resource<T>, namespace?: string): readonly Frozen<T>[] {
    const storage = this.#byResource.get(nameOf(resource))
    if (!storage) return []
    return storage.cache
      .listNow(namespace === undefined ? undefined : { namespace })
      .map((entry) => entry.object as Frozen<T>)
  }

  close(): void {
    for (const storage of this.#byPrefix.values()) storage.cache.close()
    this.#byPrefix.clear()
  }

  #openCache(kind: Kind): Promise<ObjectCache> {
    return openObjectCache({
      ...this.#deps,
      prefix: kind.storagePrefix,
      namespaced: kind.resource.namespaced,
      fields: kind.behaviour.fields as
        | Readonly<Record<string, (object: Frozen<KubernetesObject>) => string>>
        | undefined,
      indexedFields: indexedFields[kind.storagePrefix],
    })
  }
}

const nameOf = ({ group, plural }: { group: string; plural: string }): string => `${plural}.${group}`
