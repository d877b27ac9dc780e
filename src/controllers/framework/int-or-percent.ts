/** A count that may be a percentage of `total`: '25%' or 3. Undefined when it is neither. */
export function scaled(value: number | string | undefined, total: number, round: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value ?? '')?.[1]
  if (percent === undefined) return undefined
  // In this order no fraction appears where there is none.
  const exact = (Number(percent) * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
