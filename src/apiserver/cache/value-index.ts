import type { StoredObject } from './stored-object.ts'

/** Objects by one of their values: pods by their node, or whatever has a label by the label's value. */
export class ValueIndex {
  readonly #valueOf: (object: StoredObject) => string | undefined
  readonly #keys = new Map<string, Set<string>>()

  constructor(valueOf: (object: StoredObject) => string | undefined) {
    this.#valueOf = valueOf
  }

  /** Moves an object: `previous` or `next` is undefined when it is created or deleted. */
  update(previous: StoredObject | undefined, next: StoredObject | undefined): void {
    const before = previous && this.#valueOf(previous)
    const after = next && this.#valueOf(next)
    if (before === after) return
    if (before !== undefined) this.#remove(before, previous!.key)
    if (after !== undefined) this.#add(after, next!.key)
  }

  /** How many objects have a value. */
  count(value: string): number {
    return this.#keys.get(value)?.size ?? 0
  }

  /** The keys of the objects with a value, in order. */
  keys(value: string): string[] {
    return [...(this.#keys.get(value) ?? [])].sort()
  }

  #add(value: string, key: string): void {
    const keys = this.#keys.get(value)
    if (keys) keys.add(key)
    else this.#keys.set(value, new Set([key]))
  }

  #remove(value: string, key: string): void {
    const keys = this.#keys.get(value)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(value)
  }
}
