import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { CachedObject } from './cache.ts'
import { Document } from './document.ts'
import type { KeptForm } from './kept-forms.ts'

type FieldOf = (object: Frozen<KubernetesObject>) => string

/** What selectors look at, kept beside the bytes so that no list parses its objects. */
interface Traits {
  readonly labels: Readonly<Record<string, string>>
  /** In the order of the cache's fields. */
  readonly fields: readonly string[]
}

/** Different values of fields that are kept as one string: node names and phases repeat. */
const sharedMax = 4096
const noLabels: Readonly<Record<string, string>> = Object.freeze({})
const noFields: readonly string[] = []

/** A kind's field selectors. */
export class FieldTable {
  readonly #functions: readonly FieldOf[]
  readonly #index: ReadonlyMap<string, number>
  readonly #shared = new Map<string, string>()

  constructor(fields: Readonly<Record<string, FieldOf>> = {}) {
    this.#functions = Object.values(fields)
    this.#index = new Map(Object.keys(fields).map((name, index) => [name, index]))
  }

  indexOf(name: string): number | undefined {
    return this.#index.get(name)
  }

  valuesOf(object: Frozen<KubernetesObject>): readonly string[] {
    return this.#functions.length === 0 ? noFields : this.#functions.map((field) => this.#share(field(object)))
  }

  #share(value: string): string {
    const known = this.#shared.get(value)
    if (known !== undefined) return known
    if (this.#shared.size < sharedMax) this.#shared.set(value, value)
    return value
  }
}

/** An object of the cache at one revision. */
export class StoredObject implements CachedObject {
  readonly key: string
  readonly revision: number
  readonly document: Document
  forms: KeptForm | undefined = undefined
  readonly #table: FieldTable
  #traits: Traits | undefined

  constructor(key: string, revision: number, document: Document, table: FieldTable) {
    this.key = key
    this.revision = revision
    this.document = document
    this.#table = table
    const object = document.objectAtHand
    if (object) this.#traits = this.#traitsOf(object)
  }

  get namespace(): string {
    const slash = this.key.indexOf('/')
    return slash < 0 ? '' : this.key.slice(0, slash)
  }

  get name(): string {
    return this.key.slice(this.key.indexOf('/') + 1)
  }

  get bytes(): Uint8Array {
    return this.document.bytes
  }

  get object(): Frozen<KubernetesObject> {
    return this.document.object
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#known().labels
  }

  field(name: string): string | undefined {
    if (name === 'metadata.name') return this.name
    if (name === 'metadata.namespace') return this.namespace
    const index = this.#table.indexOf(name)
    return index === undefined ? undefined : this.#known().fields[index]
  }

  /** Reads what selectors need, so that it is there later. */
  prepare(): void {
    this.#known()
  }

  /** The same object as watchers see it when it is gone: in its last state, at the revision at which it went. */
  restamped(revision: number): StoredObject {
    const { object } = this
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    return new StoredObject(this.key, revision, Document.ofObject(stamped), this.#table)
  }

  #known(): Traits {
    return (this.#traits ??= this.#traitsOf(this.document.object))
  }

  #traitsOf(object: Frozen<KubernetesObject>): Traits {
    return { labels: object.metadata?.labels ?? noLabels, fields: this.#table.valuesOf(object) }
  }
}
