import type { OrderedMap } from '../../base/ordered-map.ts'
import type { Selection } from './cache.ts'
import type { StoredObject } from './stored-object.ts'
import { ValueIndex } from './value-index.ts'

/** Labels that have an index at a time: the ones that were selected by last. */
const labelsMax = 8
/** Fewer objects are looked at one by one. */
const worthIndexing = 256
/** An index is used when it leaves less than one object in so many. */
const selectiveFrom = 4

/** The indices of a cache: of its fields from the beginning, of a label from the first time that somebody selects by it. */
export class Indices {
  readonly #objects: OrderedMap<StoredObject>
  readonly #fields = new Map<string, ValueIndex>()
  /** The one that was used last is the last. */
  readonly #labels = new Map<string, ValueIndex>()

  constructor(objects: OrderedMap<StoredObject>, fields: readonly string[]) {
    this.#objects = objects
    for (const field of fields)
      this.#fields.set(
        field,
        this.#newIndex((object) => object.field(field)),
      )
  }

  /** Moves an object: `previous` or `next` is undefined when it is created or deleted. */
  update(previous: StoredObject | undefined, next: StoredObject | undefined): void {
    for (const index of this.#fields.values()) index.update(previous, next)
    for (const index of this.#labels.values()) index.update(previous, next)
  }

  /** Keys, in order, among which are those of all objects of a selection; undefined when no index leaves much less than the `count` objects of its scope. */
  keysFor({ fieldEquals = {}, labelEquals = {} }: Selection, count: () => number): string[] | undefined {
    let fewest = Infinity
    let keys: (() => string[]) | undefined
    const consider = (index: ValueIndex | undefined, value: string): void => {
      const size = index ? index.count(value) : Infinity
      if (size >= fewest) return
      fewest = size
      keys = () => index!.keys(value)
    }
    for (const [field, value] of Object.entries(fieldEquals)) consider(this.#fields.get(field), value)
    for (const [label, value] of Object.entries(labelEquals)) consider(this.#labelIndex(label), value)
    return fewest * selectiveFrom <= count() ? keys?.() : undefined
  }

  #labelIndex(label: string): ValueIndex | undefined {
    const known = this.#labels.get(label)
    if (!known && this.#objects.size < worthIndexing) return undefined
    const index = known ?? this.#newIndex(({ labels }) => (Object.hasOwn(labels, label) ? labels[label] : undefined))
    this.#labels.delete(label)
    this.#labels.set(label, index)
    if (this.#labels.size > labelsMax) this.#labels.delete(this.#labels.keys().next().value!)
    return index
  }

  #newIndex(valueOf: (object: StoredObject) => string | undefined): ValueIndex {
    const index = new ValueIndex(valueOf)
    this.#objects.scan('', undefined, (object) => index.update(undefined, object))
    return index
  }
}
