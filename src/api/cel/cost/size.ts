import type { CelType } from '../types.ts'

/** How long a text, a list or a map can be: letters, bytes or elements. */
export interface Size {
  readonly min: number
  readonly max: number
}

/** What is declared of the size of a value, and of what is in it. */
export interface DeclaredSize {
  readonly max: number
  /** Of the items of a list and of the values of a map. */
  item(): DeclaredSize | undefined
  /** Of the keys of a map. */
  keys(): DeclaredSize | undefined
  field(name: string): DeclaredSize | undefined
}

/** Sizes of what is in a list or a map. */
export interface Entry {
  readonly of: 'list' | 'map'
  readonly key: Size
  readonly value: Size
}

/** What a part of an expression costs at most, and how large its value can be. */
export interface Part {
  readonly cost: number
  readonly size?: Size | undefined
  readonly entry?: Entry | undefined
  /** Absent: the value is computed. Lost: it is a part of what is declared, but not a declared one. */
  readonly declared?: DeclaredSize | 'lost' | undefined
}

/** The declared size of a part, where there is one. */
export const declaredOf = ({ declared }: Pick<Part, 'declared'>): DeclaredSize | undefined =>
  declared === 'lost' ? undefined : declared

/** Nothing is known of the size. */
export const unknownSize: Size = { min: 0, max: Infinity }

/** A size that is known. */
export const fixed = (size: number): Size => ({ min: size, max: size })

/** The size of a part, known or not. */
export const sizeOf = ({ size }: Part): Size => size ?? unknownSize

/** What covers both. */
export const union = (a: Size, b: Size): Size => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })

/** The same for what is in two containers; unknown when one is. */
export const unionOfEntries = (a: Entry | undefined, b: Entry | undefined): Entry | undefined =>
  a && b && { of: a.of, key: union(a.key, b.key), value: union(a.value, b.value) }

/** The size of one after the other. */
export const plus = (a: Size, b: Size): Size => ({ min: a.min + b.min, max: a.max + b.max })

/** A product: nothing of what is unbounded is nothing. */
export const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)

/** What going through a text costs, a letter. */
export const alongText = 0.1

/** The most that work on each letter or element costs. */
export const each = (size: Size, cost = alongText): number => Math.ceil(product(size.max, cost))

const scalars: ReadonlySet<CelType['kind']> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

/** Whether values of a type are all of one size. */
export const isScalar = (type: CelType): boolean =>
  scalars.has(type.kind) || (type.kind === 'optional' && isScalar(type.value))
