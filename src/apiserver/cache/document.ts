import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Value } from '../../store/store.ts'

const encoder = new TextEncoder()

/**
 * One version of one object: its JSON bytes and the object, each made from the other when it is first asked for. It is what the API server gives to the
 * store, so that a store in memory with an in-process client never serializes at all.
 *
 * Whoever holds many documents drops the parsed half of those that nobody uses (`rest`): bytes cost a fifth of the object. The object is frozen by
 * its type: nobody may change it.
 */
export class Document implements Value {
  #bytes: Uint8Array | undefined
  #object: Frozen<KubernetesObject> | undefined
  #weak: WeakRef<Frozen<KubernetesObject>> | undefined
  /** Somebody was given the object, and may hold it still. */
  #given = false

  private constructor(bytes: Uint8Array | undefined, object: Frozen<KubernetesObject> | undefined) {
    this.#bytes = bytes
    this.#object = object
  }

  /** A document of an object that is at hand. The bytes are its JSON, in the order of its keys. */
  static ofObject(object: Frozen<KubernetesObject>): Document {
    return new Document(undefined, object)
  }

  /** A document of JSON that is at hand, with the object when that is too. Throws nothing yet: `object` throws a SyntaxError when it is no JSON. */
  static ofBytes(bytes: Uint8Array, object?: Frozen<KubernetesObject>): Document {
    return new Document(bytes, object)
  }

  /** The object's JSON, exactly what a GET answers. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= encoder.encode(JSON.stringify(this.#object)))
  }

  /** The bytes with room for others before them, in memory of its own: the store's head and they are then written together. */
  bytesAfter(roomBytes: number): Buffer {
    const bytes = this.#bytes
    const text = bytes ? '' : JSON.stringify(this.#object)
    const out = Buffer.allocUnsafeSlow(roomBytes + (bytes?.byteLength ?? Buffer.byteLength(text)))
    if (bytes) out.set(bytes, roomBytes)
    else {
      out.write(text, roomBytes)
      this.#bytes = out.subarray(roomBytes)
    }
    return out
  }

  /** The object. The same one for as long as somebody uses it. */
  get object(): Frozen<KubernetesObject> {
    this.#given = true
    const known = this.#object ?? this.#weak?.deref()
    if (known) return known
    const parsed = JSON.parse(
      Buffer.from(this.#bytes!.buffer, this.#bytes!.byteOffset, this.#bytes!.byteLength).toString(),
    ) as KubernetesObject
    this.#weak = new WeakRef(parsed)
    return parsed
  }

  /** The object when it can be had without parsing. */
  get objectAtHand(): Frozen<KubernetesObject> | undefined {
    return this.#object ?? this.#weak?.deref()
  }

  /** How much memory the bytes take; 0 while there are none. */
  get bytesHeld(): number {
    return this.#bytes?.byteLength ?? 0
  }

  /**
   * Lets the object go, when the bytes are there to make it again. Others who hold it keep sharing it; one that nobody was given is not even referred to, since what a weak
   * reference points to survives all small collections.
   */
  rest(): void {
    if (!this.#bytes || !this.#object) return
    if (this.#given) this.#weak = new WeakRef(this.#object)
    this.#object = undefined
  }
}
