import type { CelType } from './types.ts'

/** What expressions work with: whole numbers are bigints, other numbers doubles. */
export type Value =
  | boolean
  | bigint
  | number
  | string
  | null
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | Optional
  | TypeName
  | CelList
  | CelMap
  | Opaque

/** An expression failed: told to whoever has it run, absorbed by `&&`, `||` and the quantifiers. */
export class CelError extends Error {
  override name = 'CelError'
}

/** It took more than it may: nothing absorbs that. */
export class CelBudgetError extends Error {
  override name = 'CelBudgetError'
}

/** An unsigned whole number. */
export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** A time, in nanoseconds since 1970. */
export class Timestamp {
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }
}

/** A span of time, in nanoseconds. */
export class Duration {
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }
}

/** A value that may be missing. */
export class Optional {
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

/** A type as a value. */
export class TypeName {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A value of a library: a quantity, an address, an authorizer. */
export abstract class Opaque {
  abstract readonly type: string
  /** Equal values have equal texts. */
  abstract text(): string
}

/** A list. Items of JSON become values when the list is first looked into. */
export class CelList {
  readonly #make: () => readonly Value[]
  readonly listType: string | undefined
  readonly keys: readonly string[] | undefined
  #items: readonly Value[] | undefined

  constructor(
    items: readonly Value[] | (() => readonly Value[]),
    listType?: string | undefined,
    keys?: readonly string[] | undefined,
  ) {
    this.#make = typeof items === 'function' ? items : () => items
    this.listType = listType
    this.keys = keys
  }

  get items(): readonly Value[] {
    return (this.#items ??= this.#make())
  }
}

/** Values by name that are worked out on demand. */
interface Lazy {
  readonly names: readonly string[]
  readonly find: (name: string) => Value | undefined
}

/** A map, or an object with fields. */
export class CelMap {
  readonly #entries: ReadonlyMap<string, readonly [Value, Value]> | undefined
  readonly #json: Readonly<Record<string, unknown>> | undefined
  readonly #type: CelType | undefined
  readonly #lazy: Lazy | undefined
  readonly #known = new Map<string, Value>()

  private constructor(parts: {
    entries?: ReadonlyMap<string, readonly [Value, Value]>
    json?: Readonly<Record<string, unknown>>
    type?: CelType
    lazy?: Lazy
  }) {
    this.#lazy = parts.lazy
    this.#entries = parts.entries
    this.#json = parts.json
    this.#type = parts.type
  }

  static of(entries: Iterable<readonly [Value, Value]>): CelMap {
    const map = new Map<string, readonly [Value, Value]>()
    for (const entry of entries) map.set(keyText(entry[0]), entry)
    return new CelMap({ entries: map })
  }

  static ofJson(json: Readonly<Record<string, unknown>>, type?: CelType): CelMap {
    return new CelMap({ json, ...(type && { type }) })
  }

  /** Values that are worked out when they are first asked for. */
  static lazy(names: readonly string[], find: (name: string) => Value | undefined): CelMap {
    return new CelMap({ lazy: { names, find } })
  }

  /** What is under a key or in a field; undefined when there is nothing. */
  get(key: Value): Value | undefined {
    if (this.#lazy) return this.#found(key)
    if (this.#entries) return this.#entries.get(keyText(key))?.[1]
    if (typeof key !== 'string') return undefined
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const field = this.#type?.kind === 'object' ? this.#type.field(key) : undefined
    if (this.#type?.kind === 'object' && !field) return undefined
    const name = field ? field.json : key
    if (!Object.hasOwn(this.#json!, name) || this.#json![name] === undefined) return undefined
    const value = fromJson(
      this.#json![name],
      field ? field.type : this.#type?.kind === 'map' ? this.#type.value : undefined,
    )
    this.#known.set(key, value)
    return value
  }

  #found(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined
    let value = this.#known.get(key)
    if (value === undefined) {
      value = this.#lazy!.find(key)
      if (value !== undefined) this.#known.set(key, value)
    }
    return value
  }

  keys(): readonly Value[] {
    if (this.#lazy) return this.#lazy.names
    if (this.#entries) return [...this.#entries.values()].map(([key]) => key)
    return Object.keys(this.#json!).filter((key) => this.#json![key] !== undefined)
  }

  get size(): number {
    return this.#entries ? this.#entries.size : this.keys().length
  }

  /** The JSON that it is made of, when it is of such. */
  get json(): Readonly<Record<string, unknown>> | undefined {
    return this.#json
  }
}

/** Keys as text: numbers of all types with the same value are the same key. */
function keyText(key: Value): string {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'boolean') return `b${key}`
  if (typeof key === 'bigint') return `n${key}`
  if (key instanceof Uint) return `n${key.value}`
  if (typeof key === 'number' && Number.isInteger(key)) return `n${BigInt(key)}`
  return `?${String(key as number)}`
}

/** A value of JSON, as its declared type has it. */
export function fromJson(json: unknown, type?: CelType): Value {
  if (json === null || json === undefined) return null
  if (typeof json === 'number') return type?.kind === 'double' || !Number.isInteger(json) ? json : BigInt(json)
  if (typeof json === 'string') return type ? textValue(json, type) : json
  if (typeof json !== 'object') return json as boolean
  if (Array.isArray(json)) {
    const item = type?.kind === 'list' ? type.item : undefined
    return new CelList(
      () => json.map((each) => fromJson(each, item)),
      type?.kind === 'list' ? type.listType : undefined,
      type?.kind === 'list' ? type.keys : undefined,
    )
  }
  return CelMap.ofJson(json as Record<string, unknown>, type)
}

function textValue(text: string, type: CelType): Value {
  switch (type.kind) {
    case 'bytes':
      return Buffer.from(text, 'base64')
    case 'timestamp':
      return parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
    case 'duration':
      return parseDuration(text)
    default:
      return text
  }
}

/** A value as JSON, for what goes back into objects: results of mutations, audit annotations. */
export function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Duration) return durationText(value)
  if (value instanceof CelList) return value.items.map(toJson)
  if (value instanceof CelMap)
    return Object.fromEntries(value.keys().map((key) => [String(key as string), toJson(value.get(key)!)]))
  if (value instanceof Optional) return value.value === undefined ? undefined : toJson(value.value)
  if (value instanceof TypeName) return value.text
  if (value instanceof Opaque) return value.text()
  return value
}

/** The name of a value's type. */
export function typeNameOf(value: Value): string {
  if (value === null) return 'null_type'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Uint) return 'uint'
  if (value instanceof CelList) return 'list'
  if (value instanceof CelMap) return 'map'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Optional) return 'optional_type'
  if (value instanceof TypeName) return 'type'
  return value.type
}

/** Equality across types: numbers by their value, lists that are sets regardless of order. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  const [left, right] = [numeric(a), numeric(b)]
  if (left !== undefined && right !== undefined) return left == right // oxlint-disable-line eqeqeq -- whole numbers and doubles compare by value
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b)
  if (a instanceof CelMap)
    return (
      b instanceof CelMap &&
      a.size === b.size &&
      a.keys().every((key) => b.get(key) !== undefined && equalValues(a.get(key)!, b.get(key)!))
    )
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns
  if (a instanceof Optional)
    return (
      b instanceof Optional &&
      (a.value === undefined || b.value === undefined ? a.value === b.value : equalValues(a.value, b.value))
    )
  if (a instanceof TypeName) return b instanceof TypeName && a.text === b.text
  if (a instanceof Opaque) return b instanceof Opaque && a.type === b.type && a.text() === b.text()
  return false
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.items.length !== b.items.length) return false
  const unordered = a.listType === 'set' || a.listType === 'map' || b.listType === 'set' || b.listType === 'map'
  return unordered
    ? a.items.every((item) => b.items.some((other) => equalValues(item, other)))
    : a.items.every((item, i) => equalValues(item, b.items[i]!))
}

function numeric(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : undefined
}

/** Less than zero, zero, more than zero; fails for what has no order. */
export function compareValues(a: Value, b: Value): number {
  const [left, right] = [numeric(a), numeric(b)]
  if (left !== undefined && right !== undefined)
    return left < right ? -1 : left > right ? 1 : left == right ? 0 : Number.NaN // oxlint-disable-line eqeqeq -- see above
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration))
    return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0
  throw new CelError('no such overload')
}

// ---------------------------------------------------------------- times

const nsPerSecond = 1_000_000_000n
const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Reads a time. Throws a CelError. */
export function parseTimestamp(text: string): Timestamp {
  const match = rfc3339.exec(text)
  const ms = match ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`) : Number.NaN
  if (!match || Number.isNaN(ms)) throw new CelError(`invalid timestamp ${JSON.stringify(text)}`)
  const offset = match[8] ? (match[8] === '-' ? -1 : 1) * (Number(match[9]) * 60 + Number(match[10])) : 0
  return new Timestamp(BigInt(ms - offset * 60_000) * 1_000_000n + BigInt((match[7] ?? '').padEnd(9, '0') || '0'))
}

/** A timestamp as RFC 3339. */
export function timestampText({ ns }: Timestamp): string {
  const seconds = ns >= 0n ? ns / nsPerSecond : -((-ns + nsPerSecond - 1n) / nsPerSecond)
  const rest = ns - seconds * nsPerSecond
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${base}${rest ? `.${String(rest).padStart(9, '0').replace(/0+$/, '')}` : ''}Z`
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: nsPerSecond,
  m: 60n * nsPerSecond,
  h: 3600n * nsPerSecond,
}
const span = /(\d+)?(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y

/** Reads a span of time such as '1h30m'. Throws a CelError. */
export function parseDuration(text: string): Duration {
  const sign = text.startsWith('-') ? -1n : 1n
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return new Duration(0n)
  let ns = 0n
  let at = 0
  while (at < body.length) {
    span.lastIndex = at
    const match = span.exec(body)
    if (!match || (match[1] === undefined && !match[2])) break
    const unit = units[match[3]!]!
    ns += BigInt(match[1] ?? 0) * unit
    if (match[2]) ns += (BigInt(match[2]) * unit) / 10n ** BigInt(match[2].length)
    at = span.lastIndex
  }
  if (at === 0 || at < body.length) throw new CelError(`invalid duration ${JSON.stringify(text)}`)
  return new Duration(sign * ns)
}

/** Seconds, as CEL writes spans. */
export function durationText({ ns }: Duration): string {
  const absolute = ns < 0n ? -ns : ns
  const rest = absolute % nsPerSecond
  return `${ns < 0n ? '-' : ''}${absolute / nsPerSecond}${rest ? `.${String(rest).padStart(9, '0').replace(/0+$/, '')}` : ''}s`
}
