/** Times as the API writes them: RFC 3339 in UTC, whole seconds (Time) or microseconds (MicroTime). Errors are worded as Go's parser words them. */

const usual = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/
const whole = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/

const layouts = { time: '2006-01-02T15:04:05Z07:00', microTime: '2006-01-02T15:04:05.000000Z07:00' } as const

/** The zero time of Go, which JSON shows as null. */
const zeroSeconds = '0001-01-01T00:00:00'

let lastSecond = NaN
let lastText = ''

/** The text of a time: whole seconds, UTC. Most are asked for within the second of the one before. */
export function timeText(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`
  }
  return lastText
}

/** The canonical text of a time; null for Go's zero time. Throws when it is none. */
export function canonicalTime(text: string): string | null {
  const match = usual.exec(text)
  if (match && inRange(match)) return text.startsWith(zeroSeconds) ? null : text
  const full = parse(text, 'time')
  const seconds = new Date(full.ms).toISOString().slice(0, 19)
  return seconds === zeroSeconds ? null : `${seconds}Z`
}

/** The same with exactly six digits of a second, as MicroTime demands. */
export function canonicalMicroTime(text: string): string | null {
  const full = parse(text, 'microTime')
  const seconds = new Date(full.ms).toISOString().slice(0, 19)
  const micros = full.fraction.slice(0, 6).padEnd(6, '0')
  return seconds === zeroSeconds && micros === '000000' ? null : `${seconds}.${micros}Z`
}

function parse(text: string, kind: keyof typeof layouts): { ms: number; fraction: string } {
  const match = whole.exec(text)
  if (!match) throw malformed(text, kind)
  const fraction = match[7]?.slice(1) ?? ''
  if (kind === 'microTime' && fraction.length !== 6) throw malformed(text, kind)
  if (!inRange(match)) throw new Error(`parsing time ${JSON.stringify(text)}: ${outOfRange(match)} out of range`)
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, 0)
  return { ms: date.getTime() - offsetMs(match[8]!), fraction }
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

const inRange = (match: RegExpExecArray): boolean => outOfRange(match) === undefined

function outOfRange(match: RegExpExecArray): string | undefined {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (month < 1 || month > 12) return 'month'
  if (hour > 23) return 'hour'
  if (minute > 59) return 'minute'
  if (second > 59) return 'second'
  if (day < 1 || day > daysIn(year, month)) return 'day'
  return undefined
}

const daysIn = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31

/** The parts of the layout, and what a value must have at each. */
const parts: readonly (readonly [string, RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d\d/],
  ['-', /^-/],
  ['02', /^\d\d/],
  ['T', /^T/],
  ['15', /^\d\d/],
  [':', /^:/],
  ['04', /^\d\d/],
  [':', /^:/],
  ['05', /^\d\d/],
]

/** Says which part of the layout the value lacks. */
function malformed(text: string, kind: keyof typeof layouts): Error {
  const fail = (rest: string, part: string) =>
    new Error(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layouts[kind])}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`,
    )
  let rest = text
  for (const [part, pattern] of parts) {
    const found = pattern.exec(rest)
    if (!found) return fail(rest, part)
    rest = rest.slice(found[0].length)
  }
  if (kind === 'microTime') {
    const found = /^[.,]\d{6}(?!\d)/.exec(rest)
    if (!found) return fail(rest, '.000000')
    rest = rest.slice(found[0].length)
  } else {
    rest = rest.replace(/^[.,]\d+/, '')
  }
  const zone = /^(?:Z|[+-]\d\d:\d\d)/.exec(rest)
  if (!zone) return fail(rest, 'Z07:00')
  return new Error(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest.slice(zone[0].length))}`)
}
