import type { Endpoints } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, fewOf, name } from '../table-format/cells.ts'

/** What `kubectl get endpoints` shows. */
export const endpointsRow = (endpoints: Frozen<Endpoints>, nowMs: number): Cell[] => [
  name(endpoints),
  endpoints.subsets?.length ? fewOf(addresses(endpoints)) : '<none>',
  age(endpoints, nowMs),
]

function addresses({ subsets }: Frozen<Endpoints>): string[] {
  return (subsets ?? []).flatMap((subset) => {
    const ips = (subset.addresses ?? []).map(({ ip }) => ip)
    return subset.ports?.length
      ? subset.ports.flatMap(({ port }) => ips.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
      : ips
  })
}
