import type { CachedObject } from './cache.ts'

/** How many bytes a generation holds; two are held. What is listed again and again, 10,000 Pods in protobuf (51 MB), has to fit into one. */
const generationBytes = 64 * 2 ** 20

/** An object in one form, for as long as somebody asks for it. Objects hold theirs as a short chain. */
export class KeptForm {
  /** What the form is: an object of one value for all objects of a kind and form. */
  readonly of: object
  bytes: Uint8Array | undefined
  /** When the bytes are right: forms may tell ages. */
  fromMs = 0
  untilMs = Infinity
  generation = 0
  readonly next: KeptForm | undefined

  constructor(of: object, next: KeptForm | undefined) {
    this.of = of
    this.next = next
  }
}

/** A form's bytes. */
export interface Made {
  readonly bytes: Uint8Array
  /** They are right before this time. Default: always. */
  readonly untilMs?: number
}

/**
 * Forms of objects that are not the bytes which the cache holds anyway: protobuf, rows of tables. They are made when somebody asks and kept while they are in use: when a
 * generation is full the one before goes, except for what was used since. Objects that change take nothing with them: the new one has no forms yet.
 */
export class KeptForms {
  readonly #bytesMax: number
  #young: KeptForm[] = []
  #old: KeptForm[] = []
  #youngBytes = 0
  #generation = 1

  constructor(bytesMax: number = generationBytes) {
    this.#bytesMax = bytesMax
  }

  /** The form `of` an object as it is at a time, made if it is not there. */
  of(object: CachedObject, of: object, nowMs: number, make: () => Made): Uint8Array {
    let form = object.forms
    while (form && form.of !== of) form = form.next
    if (!form) object.forms = form = new KeptForm(of, object.forms)
    if (form.bytes && form.fromMs <= nowMs && nowMs < form.untilMs) {
      if (form.generation !== this.#generation) this.#use(form, form.bytes.byteLength)
      return form.bytes
    }
    const { bytes, untilMs = Infinity } = make()
    form.bytes = bytes
    form.fromMs = untilMs === Infinity ? -Infinity : nowMs
    form.untilMs = untilMs
    if (form.generation !== this.#generation) this.#use(form, bytes.byteLength)
    return bytes
  }

  #use(form: KeptForm, byteLength: number): void {
    form.generation = this.#generation
    this.#young.push(form)
    this.#youngBytes += byteLength
    if (this.#youngBytes < this.#bytesMax) return
    for (const unused of this.#old) if (unused.generation < this.#generation) unused.bytes = undefined
    this.#old = this.#young
    this.#young = []
    this.#youngBytes = 0
    this.#generation++
  }
}
