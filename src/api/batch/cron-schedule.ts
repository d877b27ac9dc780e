/** A part of a schedule: its range and the names that its numbers may have. */
interface Part {
  readonly min: number
  readonly max: number
  readonly names?: Readonly<Record<string, number>>
}

const named = (first: number, names: string) => Object.fromEntries(names.split(' ').map((name, i) => [name, first + i]))
const parts: readonly Part[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: named(1, 'jan feb mar apr may jun jul aug sep oct nov dec') },
  { min: 0, max: 6, names: named(0, 'sun mon tue wed thu fri sat') },
]
const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])
const quoted = (text: string) => JSON.stringify(text)

/** What is wrong with a schedule of five fields or a descriptor, in the words of upstream's parser; undefined when it is fine. */
export function scheduleError(text: string): string | undefined {
  let schedule = text
  if (schedule.startsWith('TZ=') || schedule.startsWith('CRON_TZ=')) {
    const space = schedule.indexOf(' ')
    const zone = schedule.slice(schedule.indexOf('=') + 1, space < 0 ? undefined : space)
    if (space < 0 || (zone && zone !== 'Local' && !isTimeZone(zone)))
      return `provided bad location ${zone}: unknown time zone ${zone}`
    schedule = schedule.slice(space).trim()
  }
  if (!schedule) return 'empty spec string'
  if (schedule.startsWith('@')) return descriptorError(schedule)
  const fields = schedule.split(/\s+/).filter(Boolean)
  if (fields.length !== parts.length)
    return `expected exactly ${parts.length} fields, found ${fields.length}: [${fields.join(' ')}]`
  for (const [i, part] of parts.entries()) {
    const error = fieldError(fields[i] ?? '', part)
    if (error) return error
  }
  return undefined
}

function descriptorError(text: string): string | undefined {
  if (descriptors.has(text)) return undefined
  if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`
  const duration = text.slice('@every '.length)
  if (/^[+-]?(0|(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*)$/.test(duration))
    return undefined
  return `failed to parse duration ${text}: time: invalid duration ${quoted(duration)}`
}

function fieldError(text: string, part: Part): string | undefined {
  for (const range of text.split(',').filter(Boolean)) {
    const error = rangeError(range, part)
    if (error) return error
  }
  return undefined
}

function rangeError(text: string, { min, max, names }: Part): string | undefined {
  const [bounds = '', ...steps] = text.split('/')
  const [low = '', ...highs] = bounds.split('-')
  let first = min
  let last = max
  let single = false
  if (low !== '*' && low !== '?') {
    const numbers: number[] = []
    for (const part of [low, ...highs.slice(0, 1)]) {
      const number = numberOf(part, names)
      if (typeof number === 'string') return number
      numbers.push(number)
    }
    if (highs.length > 1) return `too many hyphens: ${text}`
    ;[first = 0, last = first] = numbers
    single = !highs.length
  }
  if (steps.length > 1) return `too many slashes: ${text}`
  const step = steps.length ? numberOf(steps[0] ?? '') : 1
  if (typeof step === 'string') return step
  // `N/step` runs on to the end.
  if (steps.length && single) last = max
  if (first < min) return `beginning of range (${first}) below minimum (${min}): ${text}`
  if (last > max) return `end of range (${last}) above maximum (${max}): ${text}`
  if (first > last) return `beginning of range (${first}) beyond end of range (${last}): ${text}`
  return step === 0 ? `step of range should be a positive number: ${text}` : undefined
}

function numberOf(text: string, names?: Readonly<Record<string, number>>): number | string {
  const name = names?.[text.toLowerCase()]
  if (name !== undefined) return name
  if (!/^[+-]?\d+$/.test(text))
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${quoted(text)}: invalid syntax`
  return Number(text) < 0 ? `negative number (${Number(text)}) not allowed: ${text}` : Number(text)
}

/** Whether the time zone database has this name, in exactly this spelling. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    return known.toLowerCase() !== name.toLowerCase() || known === name
  } catch {
    return false
  }
}
