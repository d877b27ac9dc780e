const minuteS = 60
const hourS = 60 * minuteS
const dayS = 24 * hourS
const yearS = 365 * dayS

/** How long something took or is ago, in two figures at most as kubectl shows it: `90s`, `5m30s`, `3h`, `2d3h`, `2y10d`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  // Two machines' clocks may differ a little.
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * minuteS) return `${seconds}s`
  if (seconds < 10 * minuteS) return withRest(seconds, { unitS: minuteS, unit: 'm', restS: 1, rest: 's' })
  if (seconds < 3 * hourS) return `${Math.floor(seconds / minuteS)}m`
  if (seconds < 8 * hourS) return withRest(seconds, { unitS: hourS, unit: 'h', restS: minuteS, rest: 'm' })
  if (seconds < 2 * dayS) return `${Math.floor(seconds / hourS)}h`
  if (seconds < 8 * dayS) return withRest(seconds, { unitS: dayS, unit: 'd', restS: hourS, rest: 'h' })
  if (seconds < 2 * yearS) return `${Math.floor(seconds / dayS)}d`
  if (seconds < 8 * yearS) return withRest(seconds, { unitS: yearS, unit: 'y', restS: dayS, rest: 'd' })
  return `${Math.floor(seconds / yearS)}y`
}

interface Units {
  readonly unitS: number
  readonly unit: string
  readonly restS: number
  readonly rest: string
}

function withRest(seconds: number, { unitS, unit, restS, rest }: Units): string {
  const left = Math.floor((seconds % unitS) / restS)
  return `${Math.floor(seconds / unitS)}${unit}${left > 0 ? `${left}${rest}` : ''}`
}
