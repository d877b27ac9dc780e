import type { Document } from './document.ts'

/** How many documents keep their parsed object although nobody holds it: those just written are read again soon. */
const recentMax = 64

/** The documents that were written last. What leaves keeps its bytes only. */
export class Recent {
  readonly #documents: (Document | undefined)[] = Array.from({ length: recentMax })
  #at = 0

  add(document: Document): void {
    this.#documents[this.#at]?.rest()
    this.#documents[this.#at] = document
    this.#at = (this.#at + 1) % recentMax
  }
}
