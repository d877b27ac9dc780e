/** Where in an object something is: `spec.containers[0].ports[name]`. Made while descending, written out only when an error needs it. */
export class FieldPath {
  readonly #parent: FieldPath | undefined
  readonly #step: string | number
  /** The step is written in brackets. */
  readonly #within: boolean

  constructor(parent: FieldPath | undefined, step: string | number, within = false) {
    this.#parent = parent
    this.#step = step
    this.#within = within
  }

  child(name: string, ...more: string[]): FieldPath {
    const inner = new FieldPath(this, name)
    return more.length === 0 ? inner : more.reduce<FieldPath>((path, next) => new FieldPath(path, next), inner)
  }

  index(index: number): FieldPath {
    return new FieldPath(this, index, true)
  }

  key(key: string): FieldPath {
    return new FieldPath(this, key, true)
  }

  toString(): string {
    const before = this.#parent?.toString() ?? ''
    if (this.#within) return `${before}[${this.#step}]`
    return before && this.#step ? `${before}.${this.#step}` : before + this.#step
  }
}

/** A path from an object's root: `field('spec', 'replicas')`. */
export const field = (...names: string[]): FieldPath =>
  names.reduce<FieldPath>((path, name) => new FieldPath(path, name), new FieldPath(undefined, ''))

/** Where upstream writes of no field in particular. */
export const nowhere = (): FieldPath => new FieldPath(undefined, '[]')

/** The reasons of causes, as upstream's `field.ErrorType` has them. */
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

/** One thing wrong with one field. */
export interface FieldError {
  readonly reason: FieldErrorReason
  readonly field: string
  /** The whole text as upstream words it: `Invalid value: -1: must be greater than or equal to 0`. */
  readonly message: string
}

/** How a value is shown in a message: strings quoted, structures as JSON. */
const shown = (value: unknown): string => (value === undefined ? 'null' : JSON.stringify(value))

/** Collects what is wrong with an object. Texts follow upstream's. */
export class FieldErrors {
  readonly list: FieldError[] = []

  get empty(): boolean {
    return this.list.length === 0
  }

  required(at: FieldPath, detail = ''): void {
    this.#add('FieldValueRequired', at, 'Required value', detail)
  }

  invalid(at: FieldPath, value: unknown, detail: string): void {
    this.#add('FieldValueInvalid', at, `Invalid value: ${shown(value)}`, detail)
  }

  notSupported(at: FieldPath, value: unknown, supported: readonly string[]): void {
    this.#add(
      'FieldValueNotSupported',
      at,
      `Unsupported value: ${shown(value)}`,
      supported.length ? `supported values: ${supported.map((v) => JSON.stringify(v)).join(', ')}` : '',
    )
  }

  forbidden(at: FieldPath, detail: string): void {
    this.#add('FieldValueForbidden', at, 'Forbidden', detail)
  }

  duplicate(at: FieldPath, value: unknown): void {
    this.#add('FieldValueDuplicate', at, `Duplicate value: ${shown(value)}`, '')
  }

  notFound(at: FieldPath, value: unknown, detail = ''): void {
    this.#add('FieldValueNotFound', at, `Not found: ${shown(value)}`, detail)
  }

  tooLong(at: FieldPath, max: number): void {
    this.#add('FieldValueTooLong', at, 'Too long', `may not be more than ${max} bytes`)
  }

  tooMany(at: FieldPath, actual: number, max: number): void {
    this.#add('FieldValueTooMany', at, `Too many: ${actual}`, `must have at most ${max} items`)
  }

  typeInvalid(at: FieldPath, value: unknown, detail: string): void {
    this.#add('FieldValueTypeInvalid', at, `Invalid value: ${shown(value)}`, detail)
  }

  internal(at: FieldPath, detail: string): void {
    this.#add('InternalError', at, 'Internal error', detail)
  }

  #add(reason: FieldErrorReason, at: FieldPath, head: string, detail: string): void {
    this.list.push({ reason, field: at.toString(), message: detail ? `${head}: ${detail}` : head })
  }
}
