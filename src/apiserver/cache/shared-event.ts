import type { CacheEvent, CachedObject, EventBatch, EventEncoding } from './cache.ts'

/** An event with its bytes in each encoding, made once for all watches that get it at the same time. */
export class SharedEvent implements CacheEvent {
  readonly type: CacheEvent['type']
  readonly revision: number
  readonly object: CachedObject | undefined
  readonly initialEventsEnd: boolean
  #encoding: EventEncoding | undefined
  #bytes: Uint8Array | undefined
  /** Encodings besides the first; most events have none. */
  #others: Map<EventEncoding, Uint8Array> | undefined

  constructor(type: CacheEvent['type'], revision: number, object: CachedObject | undefined, initialEventsEnd = false) {
    this.type = type
    this.revision = revision
    this.object = object
    this.initialEventsEnd = initialEventsEnd
  }

  encoded(encoding: EventEncoding): Uint8Array {
    if (this.#encoding === encoding && this.#bytes) return this.#bytes
    if (!this.#bytes) {
      this.#encoding = encoding
      return (this.#bytes = encoding.encode(this))
    }
    const known = this.#others?.get(encoding)
    if (known) return known
    const made = encoding.encode(this)
    this.#others ??= new Map()
    this.#others.set(encoding, made)
    return made
  }

  forgetBytes(): void {
    this.#encoding = this.#bytes = this.#others = undefined
  }
}

/** Events that leave together, and their bytes. */
export class SharedBatch implements EventBatch {
  readonly events: readonly SharedEvent[]
  readonly #encoding: EventEncoding | undefined
  #bytes: Uint8Array | undefined

  constructor(events: readonly SharedEvent[], encoding: EventEncoding | undefined) {
    this.events = events
    this.#encoding = encoding
  }

  get bytes(): Uint8Array {
    return (this.#bytes ??= this.#make())
  }

  #make(): Uint8Array {
    const encoding = this.#encoding
    if (!encoding) throw new Error('a watch without an encoding has no bytes')
    const pieces: Uint8Array[] = []
    for (const event of this.events) {
      const parts = encoding.pieces?.(event)
      if (parts) pieces.push(...parts)
      else pieces.push(event.encoded(encoding))
    }
    if (encoding.frame) return encoding.frame(pieces)
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }
}

/** How many events and bytes leave in one batch: more would sit in the buffers of every socket at once. */
const batchEventsMax = 500
const batchBytesMax = 256 * 1024

/** The index after the last event (or object) of a batch that begins at `from`. */
export function batchEnd(
  events: readonly (CacheEvent | CachedObject)[],
  from: number,
  encoding: EventEncoding | undefined,
): number {
  let bytes = 0
  let at = from
  while (at < events.length && at - from < batchEventsMax && bytes < batchBytesMax) {
    const event = events[at++]!
    const object = 'bytes' in event ? event : event.object
    if (encoding && object) bytes += object.bytes.byteLength
  }
  return at
}
