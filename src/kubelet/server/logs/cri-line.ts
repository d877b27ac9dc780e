/** One line of a container's log, as CRI runtimes write it: `2026-01-31T09:05:59.123456789Z stdout F text`. */
export interface LogLine {
  readonly timestamp: string
  readonly stream: 'stdout' | 'stderr'
  /** The line was too long for one entry: the next of its stream goes on with it. */
  readonly partial: boolean
  /** With its line end, unless it is partial. */
  readonly content: Buffer
}

const space = 0x20
const newline = Buffer.from('\n')

/** Reads a line (without or with its end); undefined when it is none of a CRI log. */
export function parseLogLine(raw: Buffer): LogLine | undefined {
  const line = raw.at(-1) === 0x0a ? raw.subarray(0, -1) : raw
  const first = line.indexOf(space)
  const second = line.indexOf(space, first + 1)
  const third = line.indexOf(space, second + 1)
  if (first <= 0 || second < 0 || third < 0) return undefined
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  // Tags are separated by colons; the first says whether the line goes on.
  const partial = line.toString('latin1', second + 1, third).split(':')[0] === 'P'
  const content = line.subarray(third + 1)
  return {
    timestamp: line.toString('latin1', 0, first),
    stream,
    partial,
    content: partial ? content : Buffer.concat([content, newline]),
  }
}

/** The time with all nine places of its fraction, as `kubectl logs --timestamps` shows it. */
export function fullTimestamp(timestamp: string): string {
  const match = /^(.{19})(?:\.(\d+))?(.*)$/.exec(timestamp)
  return match ? `${match[1]}.${(match[2] ?? '').padEnd(9, '0')}${match[3]}` : timestamp
}
