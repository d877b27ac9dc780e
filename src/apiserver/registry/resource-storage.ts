import type { Lease } from '../../api/generated/types/coordination-v1.ts'
import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'
import type { CachedObject, ObjectCache } from '../cache/cache.ts'
import { Document } from '../cache/document.ts'

/** A draft: a fresh object that nobody else holds yet, which may be changed until it is stored. */
export type Draft = KubernetesObject & { metadata: NonNullable<KubernetesObject['metadata']> }

/** What a try to change an object comes to. */
export type Outcome =
  | { readonly action: 'write'; readonly draft: Draft }
  /** Nothing differs: nothing is written. */
  | { readonly action: 'keep' }
  /** Its last finalizer is gone, or it is deleted: `last` is what watchers see as its last state. */
  | { readonly action: 'remove'; readonly last: Draft }

/** What became of it. */
export interface Changed {
  readonly document: Document
  readonly revision: number
  readonly action: Outcome['action'] | 'create'
}

/** How often a change is tried again when others write the same object in between. */
const attemptsMax = 100

/** The objects of one stored resource: its cache to read from, and writes that compare before they put. */
export class ResourceStorage {
  /** The kind in the version in which its objects are stored. */
  readonly kind: Kind
  readonly cache: ObjectCache
  readonly #store: Store
  readonly #isLease: boolean

  constructor(kind: Kind, cache: ObjectCache, store: Store) {
    this.kind = kind
    this.cache = cache
    this.#store = store
    this.#isLease = kind.resource.plural === 'leases' && kind.resource.group === 'coordination.k8s.io'
  }

  /** The cache's key of an object. */
  keyOf(namespace: string, name: string): string {
    return this.kind.resource.namespaced ? `${namespace}/${name}` : name
  }

  get(namespace: string, name: string): CachedObject | undefined {
    return this.cache.get(this.keyOf(namespace, name))
  }

  /** Stores a new object; undefined when there is one of that name. */
  async create(draft: Draft): Promise<Changed | undefined> {
    const key = this.keyOf(draft.metadata.namespace ?? '', draft.metadata.name ?? '')
    const value = new Pending(draft)
    const result = await this.#store.put(this.cache.prefix + key, value.at, 'absent')
    return result.written
      ? { document: value.document!, revision: result.entry.modRevision, action: 'create' }
      : undefined
  }

  /**
   * Changes one object: `change` says what it shall become, and is asked again when somebody else wrote it meanwhile. `current` is undefined when there is
   * none; then what it writes is a creation.
   */
  async change(
    key: string,
    change: (current: CachedObject | undefined) => Outcome | Promise<Outcome>,
  ): Promise<Changed | undefined> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const current = this.cache.get(key)
      const pending = change(current)
      const outcome = pending instanceof Promise ? await pending : pending
      if (outcome.action === 'keep')
        return current && { document: current.document, revision: current.revision, action: 'keep' }
      if (outcome.action === 'remove') {
        if (!current) return undefined
        const value = new Pending(outcome.last)
        const result = await this.#store.delete(this.cache.prefix + key, current.revision, value.at)
        if (result.written)
          return {
            document: value.document ?? Document.ofObject(outcome.last),
            revision: result.entry.modRevision,
            action: 'remove',
          }
        if (!result.current) return undefined
        continue
      }
      const value = new Pending(outcome.draft)
      const lazy =
        this.#isLease && current && isRenewal(current.object as Frozen<Lease>, outcome.draft as Lease)
          ? { lazyMs: leaseLazyMs }
          : undefined
      const result = await this.#store.put(
        this.cache.prefix + key,
        value.at,
        current ? current.revision : 'absent',
        lazy,
      )
      if (result.written)
        return { document: value.document!, revision: result.entry.modRevision, action: current ? 'write' : 'create' }
    }
    throw new Error(`${this.cache.prefix}${key}: written by others ${attemptsMax} times in a row`)
  }

  /** Removes an object at one revision. False: it was changed or removed meanwhile. */
  async remove(current: CachedObject, last: Draft): Promise<Changed | undefined> {
    const value = new Pending(last)
    const result = await this.#store.delete(this.cache.prefix + current.key, current.revision, value.at)
    return result.written
      ? { document: value.document ?? Document.ofObject(last), revision: result.entry.modRevision, action: 'remove' }
      : undefined
  }
}

/** Whether a Lease is only held on to: whoever takes one over must not lose it in a crash. */
function isRenewal(old: Frozen<Lease>, lease: Frozen<Lease>): boolean {
  return (
    old.spec?.holderIdentity === lease.spec?.holderIdentity &&
    old.spec?.leaseTransitions === lease.spec?.leaseTransitions &&
    !lease.metadata.deletionTimestamp
  )
}

/**
 * Renewals may reach the disk this late: most writes of an idle cluster are renewals, and an older one is harmless after a crash. A commit writes 25 KiB
 * (60 as the kernel counts it), and an idle cluster may write 1 MB an hour. Every other write takes waiting renewals along, and a node's status comes
 * every five minutes, so they rarely wait longer.
 */
const leaseLazyMs = 300_000

/** A draft that becomes a document once its revision is known. */
class Pending {
  document: Document | undefined
  readonly #draft: Draft

  constructor(draft: Draft) {
    this.#draft = draft
  }

  /** The draft may share its metadata with the object before it. */
  readonly at = (revision: number): Document => {
    const object = { ...this.#draft, metadata: { ...this.#draft.metadata, resourceVersion: String(revision) } }
    return (this.document = Document.ofObject(object as Frozen<KubernetesObject>))
  }
}
