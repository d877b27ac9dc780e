import type { Frozen, KubernetesObject, ObjectKey } from '../../api/resource.ts'
import { keyText } from '../../api/resource.ts'
import { isBeingDeleted, uidOf, versionNumber } from '../../client/object.ts'
import type { Informer } from '../../client/informer/informers.ts'

interface Deletion {
  readonly key: ObjectKey
  readonly informer: Informer
}

interface Expected {
  /** Up to which version each cache must have heard. */
  readonly versions: Map<Informer, bigint>
  /** By UID: objects whose deletion must have been heard. */
  readonly deletions: Map<string, Deletion>
  /** What was expected longer ago than upstream's five minutes is given up: a lost event must not block an owner for ever. */
  untilMs: number
}

const expectationMs = 300_000

/**
 * What a controller did that its caches may not show yet. Resource versions of one resource are ordered, so a cache that has heard of a later
 * version than a creation's has heard of the creation too.
 */
export class Expectations {
  readonly #byOwner = new Map<string, Expected>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** The owner's controller created or changed this object. */
  wrote(ownerUid: string, informer: Informer, object: Frozen<KubernetesObject>): void {
    const expected = this.#of(ownerUid)
    const version = versionNumber(object.metadata?.resourceVersion)
    const known = expected.versions.get(informer) ?? 0n
    if (version > known) expected.versions.set(informer, version)
  }

  /** The owner's controller is about to delete this object. */
  deletes(ownerUid: string, informer: Informer, object: Frozen<KubernetesObject>, key: ObjectKey): void {
    this.#of(ownerUid).deletions.set(uidOf(object), { key, informer })
  }

  /** The deletion failed. */
  keeps(ownerUid: string, object: Frozen<KubernetesObject>): void {
    this.#byOwner.get(ownerUid)?.deletions.delete(uidOf(object))
  }

  /** Whether the caches show all of it. */
  caughtUp(ownerUid: string): boolean {
    const expected = this.#byOwner.get(ownerUid)
    if (!expected) return true
    for (const [informer, version] of expected.versions)
      if (informer.version >= version) expected.versions.delete(informer)
    for (const [uid, { key, informer }] of expected.deletions) {
      const shown = informer.byKey(keyText(key))
      if (!shown || uidOf(shown) !== uid || isBeingDeleted(shown)) expected.deletions.delete(uid)
    }
    const done = (expected.versions.size === 0 && expected.deletions.size === 0) || this.#now() > expected.untilMs
    if (done) this.#byOwner.delete(ownerUid)
    return done
  }

  /** The owner is gone. */
  forget(ownerUid: string): void {
    this.#byOwner.delete(ownerUid)
  }

  #of(ownerUid: string): Expected {
    let expected = this.#byOwner.get(ownerUid)
    if (!expected) this.#byOwner.set(ownerUid, (expected = { versions: new Map(), deletions: new Map(), untilMs: 0 }))
    expected.untilMs = this.#now() + expectationMs
    return expected
  }
}
