import { Cron } from 'croner'
import { goDurationMs } from '../../base/go-duration.ts'

/** When a CronJob runs. */
export interface Schedule {
  /** The first time after this one; undefined when there is none. */
  next(afterMs: number): number | undefined
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
]

const named: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/**
 * Reads a schedule by upstream's rules: five fields or a name, no more than that. The calendar, time zones and daylight saving are left to croner.
 * Throws with what is wrong.
 */
export function parseSchedule(text: string, timeZone?: string): Schedule {
  const prefix = /^(?:TZ|CRON_TZ)=(\S*)\s+(.*)$/.exec(text.trim())
  if (prefix) return parseSchedule(prefix[2] ?? '', prefix[1])
  const spec = text.trim()
  if (spec === '') throw new Error('empty spec string')
  if (spec.startsWith('@every ')) return every(spec.slice('@every '.length))
  if (spec.startsWith('@') && named[spec] === undefined) throw new Error(`unrecognized descriptor: ${spec}`)
  const parts = (named[spec] ?? spec).split(/\s+/)
  if (parts.length !== fields.length)
    throw new Error(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`)
  const pattern = parts.map((part, i) => normal(part, fields[i]!)).join(' ')
  const cron = new Cron(pattern, { mode: '5-part', paused: true, ...(timeZone && { timezone: timeZone }) })
  return { next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() }
}

/** Whether a time zone is known. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** A field in numbers: croner knows more than upstream allows. */
function normal(part: string, field: Field): string {
  return part
    .split(',')
    .map((expression) => {
      const match = /^([^/-]+)(?:-([^/]+))?(?:\/(\d+))?$/.exec(expression)
      if (!match) throw new Error(`failed to parse ${field.name}: ${expression}`)
      const [, from = '', to, step] = match
      if (step === '0') throw new Error(`step of range should be a positive number: ${expression}`)
      const every = step === undefined ? '' : `/${step}`
      if (from === '*' || from === '?') return `*${every}`
      const first = numberOf(from, field)
      // 'n/step' means from n to the end.
      const last = to === undefined ? (step === undefined ? first : field.max) : numberOf(to, field)
      if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${expression}`)
      return first === last && step === undefined ? `${first}` : `${first}-${last}${every}`
    })
    .join(',')
}

function numberOf(text: string, { name, min, max, names }: Field): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1
  if (index !== -1) return index + min
  if (!/^\d+$/.test(text)) throw new Error(`failed to parse int from ${text}: ${name}`)
  const number = Number(text)
  if (number < min) throw new Error(`beginning of range (${number}) below minimum (${min}): ${text}`)
  if (number > max) throw new Error(`end of range (${number}) above maximum (${max}): ${text}`)
  return number
}

/** '@every 1h30m': from the last time on, in whole seconds. */
function every(text: string): Schedule {
  const ms = goDurationMs(text.trim())
  if (ms === undefined) throw new Error(`failed to parse duration @every ${text}: time: invalid duration "${text}"`)
  const wholeMs = Math.max(1000, Math.floor(ms / 1000) * 1000)
  return { next: (afterMs) => Math.floor((afterMs + wholeMs) / 1000) * 1000 }
}

/** The times that a schedule had up to now. */
export interface Missed {
  /** The last one; undefined: none. */
  readonly lastMs: number | undefined
  /** There were so many that something is wrong with the clock, or with the deadline. */
  readonly many: boolean
}

/** From this many missed times on a warning is due. */
const manyMissed = 100

/** What a schedule had after `fromMs` and up to now. Long outages are not walked through one by one. */
export function missedSince(schedule: Schedule, fromMs: number, nowMs: number): Missed {
  const first = schedule.next(fromMs)
  if (first === undefined || first > nowMs) return { lastMs: undefined, many: false }
  const second = schedule.next(first)
  if (second === undefined || second > nowMs) return { lastMs: first, many: false }
  const many = (nowMs - first) / (second - first) > manyMissed
  for (let windowMs = 2 * (second - first); ; windowMs *= 4) {
    let last: number | undefined
    const startMs = Math.max(first - 1, nowMs - windowMs)
    for (let next = schedule.next(startMs); next !== undefined && next <= nowMs; next = schedule.next(next)) last = next
    if (last !== undefined) return { lastMs: last, many }
    if (startMs < first) return { lastMs: first, many }
  }
}
