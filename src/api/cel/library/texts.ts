import { overload, type Overload } from '../functions.ts'
import {
  CelError,
  CelList,
  CelMap,
  Duration,
  durationText,
  Opaque,
  Optional,
  Timestamp,
  timestampText,
  TypeName,
  Uint,
  type Value,
} from '../values.ts'
import { doubleText, patternOf } from './standard.ts'

const letters = (text: string): string[] => [...text]

function at(text: string, index: bigint): string {
  const all = letters(text)
  if (index < 0n || index > BigInt(all.length)) throw new CelError(`index out of range: ${index}`)
  return all[Number(index)] ?? ''
}

function indexOf(text: string, part: string, from: bigint): bigint {
  const all = letters(text)
  if (from < 0n || from > BigInt(all.length)) throw new CelError(`index out of range: ${from}`)
  const found = all.slice(Number(from)).join('').indexOf(part)
  return found < 0 ? -1n : from + BigInt(letters(all.slice(Number(from)).join('').slice(0, found)).length)
}

function lastIndexOf(text: string, part: string, from: bigint | undefined): bigint {
  const all = letters(text)
  if (from !== undefined && (from < 0n || from > BigInt(all.length))) throw new CelError(`index out of range: ${from}`)
  const wanted = letters(part)
  for (let i = Math.min(from === undefined ? all.length : Number(from), all.length - wanted.length); i >= 0; i--)
    if (wanted.every((letter, k) => all[i + k] === letter)) return BigInt(i)
  return -1n
}

function substring(text: string, start: bigint, end: bigint | undefined): string {
  const all = letters(text)
  const to = end ?? BigInt(all.length)
  if (start < 0n || start > BigInt(all.length)) throw new CelError(`index out of range: ${start}`)
  if (to < 0n || to > BigInt(all.length)) throw new CelError(`index out of range: ${to}`)
  if (start > to) throw new CelError(`invalid substring range. start: ${start}, end: ${to}`)
  return all.slice(Number(start), Number(to)).join('')
}

function replaced(text: string, old: string, by: string, limit: number): string {
  if (limit === 0) return text
  let count = 0
  return text.replaceAll(old, (found) => (limit < 0 || count++ < limit ? by : found))
}

function parts(text: string, separator: string, limit: number): CelList {
  if (limit === 0) return new CelList([])
  const all = separator === '' ? letters(text) : text.split(separator)
  if (limit < 0 || all.length <= limit) return new CelList(all)
  return new CelList([...all.slice(0, limit - 1), all.slice(limit - 1).join(separator)])
}

function joinTexts({ items }: CelList, separator: string): string {
  if (!items.every((item) => typeof item === 'string')) throw new CelError('no such overload')
  return items.join(separator)
}

const ascii = (text: string, pattern: RegExp, change: (letter: string) => string) => text.replace(pattern, change)

/** `'%s has %d'.format([…])`. */
function format(text: string, { items }: CelList): string {
  let next = 0
  return text.replace(
    /%(?:%|(?:\.(\d+))?([a-zA-Z]))/g,
    (whole, precision: string | undefined, clause: string | undefined) => {
      if (whole === '%%') return '%'
      if (next >= items.length) throw new CelError(`index ${next} out of range`)
      return clauseText(items[next++]!, clause!, precision === undefined ? 6 : Number(precision))
    },
  )
}

function clauseText(value: Value, clause: string, precision: number): string {
  const whole = typeof value === 'bigint' ? value : value instanceof Uint ? value.value : undefined
  const bad = (): never => {
    throw new CelError(`error during formatting: could not format as %${clause}`)
  }
  switch (clause) {
    case 's':
      return shown(value)
    case 'd':
      return whole !== undefined
        ? String(whole)
        : typeof value === 'number' && !Number.isFinite(value)
          ? infinite(value)
          : bad()
    case 'f':
      return typeof value === 'number'
        ? Number.isFinite(value)
          ? value.toFixed(precision)
          : infinite(value)
        : whole !== undefined
          ? Number(whole).toFixed(precision)
          : bad()
    case 'e':
      return (typeof value === 'number' ? value : Number(whole ?? bad()))
        .toExponential(precision)
        .replace(/e([+-])(\d)$/, 'e$10$2')
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : (whole ?? bad()).toString(2)
    case 'o':
      return (whole ?? bad()).toString(8)
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : value instanceof Uint8Array
            ? Buffer.from(value).toString('hex')
            : (whole ?? bad()).toString(16)
      return clause === 'X' ? hex.toUpperCase() : hex
    }
    default:
      throw new CelError(`error during formatting: unrecognized formatting clause "${clause}"`)
  }
}

const infinite = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity')

function shown(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? doubleText(value) : infinite(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Duration) return durationText(value)
  if (value instanceof TypeName) return value.text
  if (value instanceof CelList) return `[${value.items.map(quotedIn).join(', ')}]`
  if (value instanceof CelMap)
    return `{${[...value.keys()]
      .map((key) => `${quotedIn(key)}: ${quotedIn(value.get(key)!)}`)
      .sort()
      .join(', ')}}`
  if (value instanceof Optional)
    return value.value === undefined ? 'optional.none()' : `optional(${shown(value.value)})`
  return value instanceof Opaque ? value.text() : ''
}

const quotedIn = (value: Value): string => (typeof value === 'string' ? JSON.stringify(value) : shown(value))

const along = (value: Value): number => Math.ceil((value as string).length * 0.1)

/** Texts, as upstream has them in all expressions. */
export const textLibrary: readonly Overload[] = [
  overload('string.charAt(int): string', at),
  overload(
    'string.indexOf(string): int',
    (text: string, part: string) => indexOf(text, part, 0n),
    ([text]) => along(text!),
  ),
  overload('string.indexOf(string, int): int', indexOf, ([text]) => along(text!)),
  overload(
    'string.lastIndexOf(string): int',
    (text: string, part: string) => lastIndexOf(text, part, undefined),
    ([text]) => along(text!),
  ),
  overload('string.lastIndexOf(string, int): int', lastIndexOf, ([text]) => along(text!)),
  overload(
    'string.lowerAscii(): string',
    (text: string) => ascii(text, /[A-Z]+/g, (part) => part.toLowerCase()),
    ([text]) => along(text!),
  ),
  overload(
    'string.upperAscii(): string',
    (text: string) => ascii(text, /[a-z]+/g, (part) => part.toUpperCase()),
    ([text]) => along(text!),
  ),
  overload(
    'string.replace(string, string): string',
    (text: string, old: string, by: string) => replaced(text, old, by, -1),
    ([text]) => along(text!),
  ),
  overload(
    'string.replace(string, string, int): string',
    (text: string, old: string, by: string, limit: bigint) => replaced(text, old, by, Number(limit)),
    ([text]) => along(text!),
  ),
  overload(
    'string.split(string): list<string>',
    (text: string, separator: string) => parts(text, separator, -1),
    ([text]) => along(text!),
  ),
  overload(
    'string.split(string, int): list<string>',
    (text: string, separator: string, limit: bigint) => parts(text, separator, Number(limit)),
    ([text]) => along(text!),
  ),
  overload(
    'string.substring(int): string',
    (text: string, start: bigint) => substring(text, start, undefined),
    ([text]) => along(text!),
  ),
  overload('string.substring(int, int): string', substring, ([text]) => along(text!)),
  overload(
    'string.trim(): string',
    (text: string) => text.trim(),
    ([text]) => along(text!),
  ),
  overload('string.format(list<dyn>): string', format, ([text]) => along(text!)),
  overload('strings:quote(string): string', (text: string) => JSON.stringify(text)),
  overload(
    'list<string>.join(): string',
    (list: CelList) => joinTexts(list, ''),
    ([list]) => (list as CelList).items.length,
  ),
  overload('list<string>.join(string): string', joinTexts, ([list]) => (list as CelList).items.length),
  overload(
    'string.find(string): string',
    (text: string, pattern: string) => {
      const matcher = patternOf(pattern).matcher(text)
      return matcher.find() ? (matcher.group() ?? '') : ''
    },
    ([text]) => along(text!),
  ),
  overload(
    'string.findAll(string): list<string>',
    (text: string, pattern: string) => findAll(text, pattern, -1),
    ([text]) => along(text!),
  ),
  overload(
    'string.findAll(string, int): list<string>',
    (text: string, pattern: string, limit: bigint) => findAll(text, pattern, Number(limit)),
    ([text]) => along(text!),
  ),
]

function findAll(text: string, pattern: string, limit: number): CelList {
  const matcher = patternOf(pattern).matcher(text)
  const found: string[] = []
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return new CelList(found)
}
