import { SharedEvent } from './shared-event.ts'
import type { StoredObject } from './stored-object.ts'
import { matches } from './selection.ts'
import type { Selection } from './cache.ts'

/** One change of one object, and what watches tell of it. */
export class ObjectChange {
  readonly revision: number
  readonly deleted: boolean
  /** The new state; of a deletion the last one, at the revision of the deletion. */
  readonly object: StoredObject
  readonly previous: StoredObject | undefined
  /** Memory that only the history holds: of the state that was replaced. Counted once, since bytes may be made later. */
  readonly heldBytes: number
  #added: SharedEvent | undefined
  #modified: SharedEvent | undefined
  #gone: SharedEvent | undefined

  constructor(revision: number, deleted: boolean, object: StoredObject, previous: StoredObject | undefined) {
    this.revision = revision
    this.deleted = deleted
    this.object = object
    this.previous = previous
    this.heldBytes = (previous?.document.bytesHeld ?? 0) + (deleted ? object.document.bytesHeld : 0)
  }

  /** What a watch of a selection tells: an object that begins to match is added, one that no longer does is deleted. Undefined: nothing. */
  eventFor(selection: Selection): SharedEvent | undefined {
    const before = this.previous !== undefined && matches(selection, this.previous)
    if (this.deleted)
      return before || (this.previous === undefined && matches(selection, this.object)) ? this.#goneEvent() : undefined
    const now = matches(selection, this.object)
    if (now && before) return (this.#modified ??= new SharedEvent('MODIFIED', this.revision, this.object))
    if (now) return (this.#added ??= new SharedEvent('ADDED', this.revision, this.object))
    return before ? this.#goneEvent() : undefined
  }

  /** Drops bytes made for watches: they have been sent. */
  forgetBytes(): void {
    this.#added?.forgetBytes()
    this.#modified?.forgetBytes()
    this.#gone?.forgetBytes()
  }

  #goneEvent(): SharedEvent {
    return (this.#gone ??= new SharedEvent(
      'DELETED',
      this.revision,
      this.deleted ? this.object : this.previous!.restamped(this.revision),
    ))
  }
}

/** The newest changes, bounded in number and in the memory of the states that only it still holds. */
export class ObjectHistory {
  readonly #changesMax: number
  readonly #bytesMax: number
  #changes: ObjectChange[] = []
  #first = 0
  #bytes = 0
  /** Every change after this revision is here. */
  floor: number

  constructor(limits: { readonly changesMax: number; readonly bytesMax: number }, floor: number) {
    this.#changesMax = limits.changesMax
    this.#bytesMax = limits.bytesMax
    this.floor = floor
  }

  add(change: ObjectChange): void {
    this.#changes.push(change)
    this.#bytes += change.heldBytes
    while (this.#changes.length - this.#first > this.#changesMax || this.#bytes > this.#bytesMax) {
      const oldest = this.#changes[this.#first++]!
      this.#bytes -= oldest.heldBytes
      this.floor = oldest.revision
    }
    if (this.#first > 1024 || this.#first > this.#changes.length >> 1) {
      this.#changes.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** The changes after a revision, which is not below the floor. */
  after(revision: number): readonly ObjectChange[] {
    let low = this.#first
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#changes[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    return low === this.#changes.length ? none : this.#changes.slice(low)
  }

  /** The objects that changed after a revision, each as it was then; undefined: it was not there. */
  undo(revision: number): Map<string, StoredObject | undefined> {
    const before = new Map<string, StoredObject | undefined>()
    for (const { object, previous } of this.after(revision))
      if (!before.has(object.key)) before.set(object.key, previous)
    return before
  }
}

const none: readonly ObjectChange[] = []
