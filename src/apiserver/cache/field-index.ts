import type { StoredObject } from './stored-object.ts'

/** Objects by the value of one field: for pods, by node. */
export class FieldIndex {
  readonly field: string
  readonly #keys = new Map<string, Set<string>>()

  constructor(field: string) {
    this.field = field
  }

  /** Moves an object: `previous` or `next` is undefined when it is created or deleted. */
  update(previous: StoredObject | undefined, next: StoredObject | undefined): void {
    const before = previous?.field(this.field)
    const after = next?.field(this.field)
    if (before === after) return
    if (before !== undefined) this.#remove(before, previous!.key)
    if (after !== undefined) this.#add(after, next!.key)
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
