import { RE2JS } from 're2js'
import { overload, type Overload } from '../functions.ts'
import {
  CelError,
  CelList,
  CelMap,
  compareValues,
  Duration,
  durationText,
  equalValues,
  Optional,
  parseDuration,
  parseTimestamp,
  Timestamp,
  timestampText,
  TypeName,
  typeNameOf,
  Uint,
  type Value,
} from '../values.ts'

const intMin = -(2n ** 63n)
const intMax = 2n ** 63n - 1n
const uintMax = 2n ** 64n - 1n

/** A whole number, unless it is too large. */
export function checkedInt(value: bigint): bigint {
  if (value < intMin || value > intMax) throw new CelError('integer overflow')
  return value
}

function checkedUint(value: bigint): Uint {
  if (value < 0n || value > uintMax) throw new CelError('unsigned integer overflow')
  return new Uint(value)
}

function intOf(value: number): bigint {
  if (Number.isNaN(value) || Math.abs(value) >= 2 ** 63) throw new CelError('integer overflow')
  return BigInt(Math.trunc(value))
}

function parsedInt(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return checkedInt(BigInt(text.replace('+', '')))
}

function parsedDouble(text: string): number {
  if (!/^[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|infinity|nan)$/i.test(text))
    throw new CelError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
  return /inf/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text)
}

/** A list put together with another: sets and lists with keys keep each item once. */
function concatenated(a: CelList, b: CelList): CelList {
  if (a.listType === 'set')
    return new CelList(
      [...a.items, ...b.items.filter((item) => !a.items.some((other) => equalValues(item, other)))],
      a.listType,
    )
  if (a.listType !== 'map') return new CelList([...a.items, ...b.items])
  const keysOf = (item: Value) =>
    (a.keys ?? []).map((key) => (item instanceof CelMap ? item.get(key) : undefined) ?? null)
  const same = (x: Value, y: Value) => keysOf(x).every((key, i) => equalValues(key, keysOf(y)[i]!))
  const replaced = a.items.map((item) => b.items.find((other) => same(item, other)) ?? item)
  return new CelList(
    [...replaced, ...b.items.filter((item) => !a.items.some((other) => same(item, other)))],
    a.listType,
    a.keys,
  )
}

const arithmetic: Overload[] = [
  overload('_+_(int, int): int', (a: bigint, b: bigint) => checkedInt(a + b)),
  overload('_+_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value + b.value)),
  overload('_+_(double, double): double', (a: number, b: number) => a + b),
  overload(
    '_+_(string, string): string',
    (a: string, b: string) => a + b,
    ([a, b]) => Math.ceil(((a as string).length + (b as string).length) * 0.1),
  ),
  overload('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b])),
  overload('_+_(list<T>, list<T>): list<T>', concatenated),
  overload('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => new Timestamp(a.ns + b.ns)),
  overload('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => new Timestamp(a.ns + b.ns)),
  overload('_+_(duration, duration): duration', (a: Duration, b: Duration) => new Duration(a.ns + b.ns)),
  overload('_-_(int, int): int', (a: bigint, b: bigint) => checkedInt(a - b)),
  overload('_-_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value - b.value)),
  overload('_-_(double, double): double', (a: number, b: number) => a - b),
  overload('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => new Duration(a.ns - b.ns)),
  overload('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => new Timestamp(a.ns - b.ns)),
  overload('_-_(duration, duration): duration', (a: Duration, b: Duration) => new Duration(a.ns - b.ns)),
  overload('_*_(int, int): int', (a: bigint, b: bigint) => checkedInt(a * b)),
  overload('_*_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value * b.value)),
  overload('_*_(double, double): double', (a: number, b: number) => a * b),
  overload('_/_(int, int): int', (a: bigint, b: bigint) => checkedInt(a / divisor(b, 'division by zero'))),
  overload('_/_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(a.value / divisor(b.value, 'division by zero'))),
  overload('_/_(double, double): double', (a: number, b: number) => a / b),
  overload('_%_(int, int): int', (a: bigint, b: bigint) => a % divisor(b, 'modulus by zero')),
  overload('_%_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(a.value % divisor(b.value, 'modulus by zero'))),
  overload('-_(int): int', (a: bigint) => checkedInt(-a)),
  overload('-_(double): double', (a: number) => -a),
  overload('!_(bool): bool', (a: boolean) => !a),
]

function divisor(value: bigint, problem: string): bigint {
  if (value === 0n) throw new CelError(problem)
  return value
}

const ordered = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']
const mixed = ['int, double', 'double, int', 'int, uint', 'uint, int', 'uint, double', 'double, uint']

const order: Overload[] = (['<', '<=', '>', '>='] as const).flatMap((sign) => {
  const holds = {
    '<': (c: number) => c < 0,
    '<=': (c: number) => c <= 0,
    '>': (c: number) => c > 0,
    '>=': (c: number) => c >= 0,
  }[sign]
  return [...ordered.map((type) => `${type}, ${type}`), ...mixed].map((types) =>
    overload(`_${sign}_(${types}): bool`, (a: Value, b: Value) => holds(compareValues(a, b))),
  )
})

const texts: Overload[] = [
  overload(
    'size(string): int',
    (text: string) => BigInt([...text].length),
    ([text]) => Math.ceil((text as string).length * 0.1),
  ),
  overload('size(bytes): int', (bytes: Uint8Array) => BigInt(bytes.length)),
  overload('size(list<T>): int', (list: CelList) => BigInt(list.items.length)),
  overload('size(map<K, V>): int', (map: CelMap) => BigInt(map.size)),
  overload(
    'string.contains(string): bool',
    (text: string, part: string) => text.includes(part),
    ([text, part]) => Math.ceil((text as string).length * 0.1 * Math.max(1, (part as string).length * 0.1)),
  ),
  overload(
    'string.startsWith(string): bool',
    (text: string, part: string) => text.startsWith(part),
    ([, part]) => Math.ceil((part as string).length * 0.1),
  ),
  overload(
    'string.endsWith(string): bool',
    (text: string, part: string) => text.endsWith(part),
    ([, part]) => Math.ceil((part as string).length * 0.1),
  ),
  overload('string.matches(string): bool', matches, matchCost),
  overload('matches(string, string): bool', matches, matchCost),
]

const members: Overload[] = ['string', 'bytes', 'list<T>', 'map<K, V>'].map((type) =>
  overload(`${type}.size(): int`, (value: string | Uint8Array | CelList | CelMap) =>
    typeof value === 'string'
      ? BigInt([...value].length)
      : value instanceof CelList
        ? BigInt(value.items.length)
        : value instanceof CelMap
          ? BigInt(value.size)
          : BigInt(value.length),
  ),
)

const patterns = new Map<string, RE2JS>()
const patternsMax = 1000

/** A pattern, compiled once. */
export function patternOf(text: string): RE2JS {
  let pattern = patterns.get(text)
  if (!pattern) {
    try {
      pattern = RE2JS.compile(text)
    } catch (error) {
      throw new CelError(`error parsing regexp: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (patterns.size >= patternsMax) patterns.clear()
    patterns.set(text, pattern)
  }
  return pattern
}

function matches(text: string, pattern: string): boolean {
  return patternOf(pattern).matcher(text).find()
}

function matchCost([text, pattern]: readonly Value[]): number {
  return Math.ceil((1 + (text as string).length * 0.1) * Math.max(1, (pattern as string).length * 0.25))
}

const membership: Overload[] = [
  overload(
    '@in(T, list<T>): bool',
    (value: Value, list: CelList) => list.items.some((item) => equalValues(item, value)),
    ([, list]) => (list as CelList).items.length,
  ),
  overload('@in(K, map<K, V>): bool', (key: Value, map: CelMap) => map.get(key) !== undefined),
]

const casts: Overload[] = [
  overload('int(int): int', (a: bigint) => a),
  overload('int(uint): int', (a: Uint) => checkedInt(a.value)),
  overload('int(double): int', intOf),
  overload('int(string): int', parsedInt),
  overload('int(timestamp): int', ({ ns }: Timestamp) => ns / 1_000_000_000n),
  overload('int(duration): int', ({ ns }: Duration) => ns),
  overload('uint(uint): uint', (a: Uint) => a),
  overload('uint(int): uint', checkedUint),
  overload('uint(double): uint', (a: number) => checkedUint(intOf(a))),
  overload('uint(string): uint', (a: string) => checkedUint(parsedInt(a))),
  overload('double(double): double', (a: number) => a),
  overload('double(int): double', (a: bigint) => Number(a)),
  overload('double(uint): double', (a: Uint) => Number(a.value)),
  overload('double(string): double', parsedDouble),
  overload('string(string): string', (a: string) => a),
  overload('string(int): string', (a: bigint) => String(a)),
  overload('string(uint): string', (a: Uint) => String(a.value)),
  overload('string(double): string', (a: number) => doubleText(a)),
  overload('string(bool): string', (a: boolean) => String(a)),
  overload('string(bytes): string', (a: Uint8Array) => utf8(a)),
  overload('string(timestamp): string', timestampText),
  overload('string(duration): string', durationText),
  overload('bytes(string): bytes', (a: string) => Buffer.from(a)),
  overload('bytes(bytes): bytes', (a: Uint8Array) => a),
  overload('bool(bool): bool', (a: boolean) => a),
  overload('bool(string): bool', (a: string) => {
    if (/^(?:1|t|T|true|TRUE|True)$/.test(a)) return true
    if (/^(?:0|f|F|false|FALSE|False)$/.test(a)) return false
    throw new CelError(`strconv.ParseBool: parsing ${JSON.stringify(a)}: invalid syntax`)
  }),
  overload('timestamp(string): timestamp', parseTimestamp),
  overload('timestamp(timestamp): timestamp', (a: Timestamp) => a),
  overload('timestamp(int): timestamp', (a: bigint) => new Timestamp(a * 1_000_000_000n)),
  overload('duration(string): duration', parseDuration),
  overload('duration(duration): duration', (a: Duration) => a),
  overload('dyn(T): dyn', (a: Value) => a),
  overload('type(T): type', (a: Value) => new TypeName(typeNameOf(a))),
]

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

/** A double as Go writes it. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const text = String(value)
  const exponent = /^(.*)e([+-])(\d+)$/.exec(text)
  return exponent ? `${exponent[1]}e${exponent[2]}${exponent[3]!.padStart(2, '0')}` : text
}

const optionals: Overload[] = [
  overload('optional:of(T): optional<T>', (value: Value) => new Optional(value)),
  overload('optional:none(): optional<dyn>', () => new Optional(undefined)),
  overload(
    'optional:ofNonZeroValue(T): optional<T>',
    (value: Value) => new Optional(isZero(value) ? undefined : value),
  ),
  overload('optional<T>.hasValue(): bool', ({ value }: Optional) => value !== undefined),
  overload('optional<T>.value(): T', ({ value }: Optional) => {
    if (value === undefined) throw new CelError('optional.none() dereference')
    return value
  }),
  overload('optional<T>.or(optional<T>): optional<T>', (a: Optional, b: Optional) => (a.value === undefined ? b : a)),
  overload('optional<T>.orValue(T): T', (a: Optional, b: Value) => a.value ?? b),
]

function isZero(value: Value): boolean {
  if (value instanceof CelList) return value.items.length === 0
  if (value instanceof CelMap) return value.size === 0
  if (value instanceof Uint8Array) return value.length === 0
  return (
    value === null ||
    value === '' ||
    value === 0 ||
    value === 0n ||
    value === false ||
    (value instanceof Uint && value.value === 0n)
  )
}

type Getter = [name: string, read: (date: Date) => number]

const getters: readonly Getter[] = [
  ['getFullYear', (date) => date.getUTCFullYear()],
  ['getMonth', (date) => date.getUTCMonth()],
  ['getDate', (date) => date.getUTCDate()],
  ['getDayOfMonth', (date) => date.getUTCDate() - 1],
  ['getDayOfWeek', (date) => date.getUTCDay()],
  [
    'getDayOfYear',
    (date) =>
      Math.floor(
        (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) -
          Date.UTC(date.getUTCFullYear(), 0, 1)) /
          86_400_000,
      ),
  ],
  ['getHours', (date) => date.getUTCHours()],
  ['getMinutes', (date) => date.getUTCMinutes()],
  ['getSeconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', (date) => date.getUTCMilliseconds()],
]

const times: Overload[] = [
  ...getters.flatMap(([name, read]) => [
    overload(`timestamp.${name}(): int`, ({ ns }: Timestamp) => BigInt(read(new Date(Number(ns / 1_000_000n))))),
    overload(`timestamp.${name}(string): int`, ({ ns }: Timestamp, zone: string) =>
      BigInt(read(new Date(Number(ns / 1_000_000n) + offsetMs(Number(ns / 1_000_000n), zone)))),
    ),
  ]),
  overload('duration.getHours(): int', ({ ns }: Duration) => ns / 3_600_000_000_000n),
  overload('duration.getMinutes(): int', ({ ns }: Duration) => ns / 60_000_000_000n),
  overload('duration.getSeconds(): int', ({ ns }: Duration) => ns / 1_000_000_000n),
  overload('duration.getMilliseconds(): int', ({ ns }: Duration) => ns / 1_000_000n),
]

/** How far a zone is ahead of UTC at a time. */
function offsetMs(ms: number, zone: string): number {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  if (fixed) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(ms)
    const of = (type: string) => Number(parts.find((part) => part.type === type)!.value)
    return (
      Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) -
      Math.floor(ms / 1000) * 1000
    )
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}

/** What the language itself has. */
export const standardLibrary: readonly Overload[] = [
  ...arithmetic,
  ...order,
  ...texts,
  ...members,
  ...membership,
  ...casts,
  ...optionals,
  ...times,
]
