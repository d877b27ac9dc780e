/** First and last index of an interval. */
export type Interval = readonly [first: number, last: number]

/** Completed indexes of a Job, as its status writes them. */
export interface Indexes {
  readonly intervals: readonly Interval[]
  /** How many indexes there are. */
  readonly total: number
}

/** Reads `1,3-5,7`: rising intervals below `completions`. Gives the error's text when it is not that. */
export function parseIndexes(text: string, completions: number): Indexes | string {
  const intervals: Interval[] = []
  let total = 0
  if (text === '') return { intervals, total }
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions)
    if (typeof interval === 'string') return interval
    const previous = intervals.at(-1)?.[1]
    if (previous !== undefined && previous >= interval[0])
      return `non-increasing order, previous: ${previous}, current: ${interval[0]}`
    intervals.push(interval)
    total += interval[1] - interval[0] + 1
  }
  return { intervals, total }
}

function parseInterval(text: string, completions: number): Interval | string {
  const parts = text.split('-')
  if (parts.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`
  const numbers: number[] = []
  for (const part of parts) {
    if (!/^[+-]?[0-9]+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`
    numbers.push(Number(part))
  }
  const [first = 0, last = first] = numbers
  return parts.length > 1 && first >= last
    ? `non-increasing order, previous: ${first}, current: ${last}`
    : [first, last]
}

/** The first index in both, skipping what cannot be read. */
export function overlapOf(one: string, other: string, completions: number): number | undefined {
  const read = (text: string) =>
    text === ''
      ? []
      : text.split(',').flatMap((part) => {
          const interval = parseInterval(part, completions)
          return typeof interval === 'string' ? [] : [interval]
        })
  const others = read(other)
  for (const [first, last] of read(one))
    for (const [otherFirst, otherLast] of others)
      if (first <= otherLast && otherFirst <= last) return Math.max(first, otherFirst)
  return undefined
}
