import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../../api/resource.ts'
import { keyText } from '../../api/resource.ts'
import type { Logger } from '../../base/log.ts'

/** What is told of each change. Called synchronously, in order: a handler enqueues keys and does nothing else. */
export interface InformerHandler<T> {
  added?(object: Frozen<T>): void
  updated?(object: Frozen<T>, old: Frozen<T>): void
  /** With the last state that was seen. */
  deleted?(object: Frozen<T>): void
}

/** Gives the values under which an object is found in an index. */
export type IndexFunction<T> = (object: Frozen<T>) => readonly string[]

/** A resource's objects as last heard of, by reference: never changed, only replaced. */
export interface Informer<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>
  get(key: ObjectKey): Frozen<T> | undefined
  /** By 'namespace/name' or 'name'. */
  byKey(key: string): Frozen<T> | undefined
  list(namespace?: string): readonly Frozen<T>[]
  /** What an index holds under `value`; the index must have been declared. */
  by(index: string, value: string): readonly Frozen<T>[]
  /** The objects with an owner reference to this UID. */
  ownedBy(uid: string): readonly Frozen<T>[]
  /** Declares an index; the same name twice is the same index. */
  index(name: string, values: IndexFunction<T>): void
  /** Hears of every change from now on, and first of everything that is there. The returned function ends it. */
  on(handler: InformerHandler<T>): () => void
  /** Everything that was there at the start is here. */
  readonly synced: Promise<void>
  hasSynced(): boolean
  /** The resource version up to which this cache has heard everything. */
  readonly version: bigint
}

type Objects<T> = Map<string, Frozen<T>>

/** Index of owners; kept only where somebody asks. */
const ownerIndex = 'ownerUid'

/**
 * The objects, their indexes and who is told. The reflector writes (`put`, `remove`, `replace`, `setVersion`); everybody else reads.
 * A namespace's objects are a map of their own, since most questions are about one namespace.
 */
export class ObjectCache<T extends KubernetesObject> implements Informer<T> {
  readonly resource: Resource<T>
  readonly synced: Promise<void>
  version = 0n
  readonly #log: Logger
  readonly #objects: Objects<T> = new Map()
  readonly #namespaces = new Map<string, Objects<T>>()
  readonly #indexes = new Map<
    string,
    { readonly values: IndexFunction<T>; readonly entries: Map<string, Objects<T>> }
  >()
  readonly #handlers = new Set<InformerHandler<T>>()
  #hasSynced = false
  #resolveSynced: () => void

  constructor(resource: Resource<T>, log: Logger) {
    this.resource = resource
    this.#log = log
    const { promise, resolve } = Promise.withResolvers<void>()
    this.synced = promise
    this.#resolveSynced = resolve
  }

  get(key: ObjectKey): Frozen<T> | undefined {
    return this.#objects.get(keyText(key))
  }

  byKey(key: string): Frozen<T> | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): readonly Frozen<T>[] {
    return [...((namespace ? this.#namespaces.get(namespace) : this.#objects)?.values() ?? [])]
  }

  by(index: string, value: string): readonly Frozen<T>[] {
    const declared = this.#indexes.get(index)
    if (!declared) throw new Error(`informer of ${this.resource.plural}: there is no index "${index}"`)
    const found = declared.entries.get(value)
    return found ? [...found.values()] : []
  }

  ownedBy(uid: string): readonly Frozen<T>[] {
    this.index(ownerIndex, (object) => object.metadata?.ownerReferences?.map((owner) => owner.uid) ?? [])
    return this.by(ownerIndex, uid)
  }

  index(name: string, values: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return
    const entries = new Map<string, Objects<T>>()
    this.#indexes.set(name, { values, entries })
    for (const [key, object] of this.#objects) for (const value of values(object)) insert(entries, value, key, object)
  }

  on(handler: InformerHandler<T>): () => void {
    for (const object of this.#objects.values()) this.#tell(() => handler.added?.(object))
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  hasSynced(): boolean {
    return this.#hasSynced
  }

  /** How many objects there are. */
  get size(): number {
    return this.#objects.size
  }

  put(object: Frozen<T>): void {
    const key = keyText({ namespace: object.metadata?.namespace, name: object.metadata?.name ?? '' })
    const old = this.#objects.get(key)
    // A watch that resumes may repeat what is known.
    if (
      old !== undefined &&
      old.metadata?.resourceVersion === object.metadata?.resourceVersion &&
      old.metadata?.uid === object.metadata?.uid
    )
      return
    // Deleted and created again while nobody watched: two different objects of one name.
    if (old !== undefined && old.metadata?.uid !== object.metadata?.uid) {
      this.remove(old)
      return this.put(object)
    }
    if (old !== undefined) this.#unindex(key, old)
    this.#objects.set(key, object)
    const namespace = object.metadata?.namespace
    if (namespace) insert(this.#namespaces, namespace, key, object)
    for (const { values, entries } of this.#indexes.values())
      for (const value of values(object)) insert(entries, value, key, object)
    for (const handler of this.#handlers)
      this.#tell(() => (old === undefined ? handler.added?.(object) : handler.updated?.(object, old)))
  }

  remove(object: Frozen<KubernetesObject>): void {
    const key = keyText({ namespace: object.metadata?.namespace, name: object.metadata?.name ?? '' })
    const old = this.#objects.get(key)
    if (old === undefined) return
    this.#unindex(key, old)
    this.#objects.delete(key)
    const namespace = old.metadata?.namespace
    if (namespace) drop(this.#namespaces, namespace, key)
    // The final state where the server tells it; else what was known.
    const last = (object.metadata?.uid === old.metadata?.uid ? object : old) as Frozen<T>
    for (const handler of this.#handlers) this.#tell(() => handler.deleted?.(last))
  }

  /** Removes what is not among `keys`: after a list, what was deleted while nobody watched. */
  retain(keys: ReadonlySet<string>): void {
    for (const [key, object] of [...this.#objects]) if (!keys.has(key)) this.remove(object)
  }

  setVersion(version: bigint): void {
    if (version > this.version) this.version = version
  }

  markSynced(): void {
    if (this.#hasSynced) return
    this.#hasSynced = true
    this.#resolveSynced()
  }

  #unindex(key: string, object: Frozen<T>): void {
    for (const { values, entries } of this.#indexes.values())
      for (const value of values(object)) drop(entries, value, key)
  }

  /** One handler's failure is its own: the others still hear. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#log.error({ err: error, resource: this.resource.plural }, 'an event handler failed')
    }
  }
}

function insert<T>(entries: Map<string, Objects<T>>, value: string, key: string, object: Frozen<T>): void {
  let objects = entries.get(value)
  if (!objects) entries.set(value, (objects = new Map()))
  objects.set(key, object)
}

function drop<T>(entries: Map<string, Objects<T>>, value: string, key: string): void {
  const objects = entries.get(value)
  if (objects?.delete(key) && objects.size === 0) entries.delete(value)
}
