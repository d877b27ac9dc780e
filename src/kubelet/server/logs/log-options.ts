/** What of a log is wanted. */
export interface LogOptions {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  /** Entries from this time on, in milliseconds. */
  readonly sinceMs: number | undefined
  readonly tailLines: number | undefined
  readonly limitBytes: number | undefined
  readonly stream: 'All' | 'Stdout' | 'Stderr'
}

/** Reads them from a query, or says why it cannot. `nowMs` is what `sinceSeconds` counts from. */
export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions | 'undecodable' | 'invalid' {
  const flag = (name: string) => query.has(name) && !['false', '0', 'False', 'FALSE'].includes(query.get(name)!)
  const number = (name: string): number | undefined => {
    const text = query.get(name)
    return text === null || text === '' ? undefined : /^-?\d+$/.test(text) ? Number(text) : NaN
  }
  const tail = query.get('tail')
  const [tailLines, limitBytes, sinceSeconds] = [
    tail === 'all' ? undefined : tail ? Number(tail) : number('tailLines'),
    number('limitBytes'),
    number('sinceSeconds'),
  ]
  const sinceTime = query.get('sinceTime') ? Date.parse(query.get('sinceTime')!) : undefined
  if ([tailLines, limitBytes, sinceSeconds, sinceTime].some((value) => Number.isNaN(value))) return 'undecodable'
  const stream = query.get('stream') || 'All'
  const bad =
    (tailLines ?? 0) < 0 ||
    (limitBytes ?? 1) < 1 ||
    (sinceSeconds ?? 1) < 1 ||
    (sinceSeconds !== undefined && sinceTime !== undefined)
  if (bad || !isStream(stream) || (stream !== 'All' && tailLines !== undefined)) return 'invalid'
  return {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    sinceMs: sinceSeconds !== undefined ? nowMs - sinceSeconds * 1000 : sinceTime,
    tailLines,
    limitBytes,
    stream,
  }
}

const isStream = (name: string): name is LogOptions['stream'] =>
  name === 'All' || name === 'Stdout' || name === 'Stderr'
