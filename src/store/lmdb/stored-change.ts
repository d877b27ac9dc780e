import type { Change, Entry } from '../store.ts'

/** A change just written. What was there before is read only if somebody asks. */
export class StoredChange implements Change {
  readonly type: 'put' | 'delete'
  readonly entry: Entry
  readonly revision: number
  readonly #previous: () => Entry | undefined

  constructor(type: 'put' | 'delete', entry: Entry, revision: number, previous: () => Entry | undefined) {
    this.type = type
    this.entry = entry
    this.revision = revision
    this.#previous = previous
  }

  get key(): string {
    return this.entry.key
  }

  get previous(): Entry | undefined {
    return this.#previous()
  }
}
