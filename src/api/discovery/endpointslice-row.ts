import type { EndpointSlice } from '../generated/types/discovery-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, fewOf, name } from '../table-format/cells.ts'

/** What `kubectl get endpointslices` shows. */
export function endpointSliceRow(slice: Frozen<EndpointSlice>, nowMs: number): Cell[] {
  const ports = (slice.ports ?? []).map(({ port, name: title }) =>
    port === undefined || port === null ? (title ?? '*') : String(port),
  )
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? [])
  return [
    name(slice),
    slice.addressType ?? '',
    fewOf(ports) || '<unset>',
    fewOf(addresses) || '<unset>',
    age(slice, nowMs),
  ]
}
