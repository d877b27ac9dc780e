import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { same } from '../framework/equality.ts'

type Slice = Frozen<EndpointSlice>
type FrozenEndpoint = Frozen<Endpoint>

/** The endpoints that share a set of ports. */
export interface PortGroup {
  readonly ports: readonly Frozen<EndpointPort>[]
  readonly endpoints: readonly FrozenEndpoint[]
}

/** Which slices to write: contents of new ones, changed ones, ones that go. */
export interface SlicePlan {
  readonly create: readonly PortGroup[]
  readonly update: readonly Slice[]
  readonly remove: readonly Slice[]
}

/** What makes two sets of ports the same. */
export const portsKey = (ports: readonly Frozen<EndpointPort>[] | undefined): string =>
  (ports ?? [])
    .map(
      ({ name, port, protocol, appProtocol }) => `${name ?? ''}/${port ?? ''}/${protocol ?? ''}/${appProtocol ?? ''}`,
    )
    .sort()
    .join()

/** What makes two endpoints the same one, whatever its conditions are. */
export const endpointKey = ({ addresses, hostname, nodeName, targetRef }: FrozenEndpoint): string =>
  [
    [...(addresses ?? [])].sort().join(),
    hostname,
    nodeName,
    targetRef?.kind,
    targetRef?.namespace,
    targetRef?.name,
    targetRef?.uid,
  ].join('\0')

/**
 * Puts endpoints into slices so that few slices change: what is there stays where it is, what is new goes where something changes anyway,
 * then into the slice that it fills best, then into new ones. `existing` all have the group's ports.
 */
export function planGroup(existing: readonly Slice[], group: PortGroup, most: number): SlicePlan {
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]))
  const update: Slice[] = []
  const remove: Slice[] = []
  const unchanged: Slice[] = []
  for (const slice of existing) {
    const kept: FrozenEndpoint[] = []
    let changed = false
    for (const endpoint of slice.endpoints ?? []) {
      const now = wanted.get(endpointKey(endpoint))
      if (!now) {
        changed = true
        continue
      }
      wanted.delete(endpointKey(endpoint))
      if (!same(now, endpoint)) changed = true
      kept.push(now)
    }
    if (kept.length === 0) remove.push(slice)
    else if (changed) update.push({ ...slice, endpoints: kept })
    else unchanged.push(slice)
  }
  return fill({ update, remove, unchanged, create: [] }, [...wanted.values()], group, most)
}

interface Filling {
  readonly update: Slice[]
  readonly remove: Slice[]
  readonly unchanged: Slice[]
  readonly create: PortGroup[]
}

function fill(
  { update, remove, unchanged, create }: Filling,
  added: FrozenEndpoint[],
  { ports }: PortGroup,
  most: number,
): SlicePlan {
  const count = (slice: Slice) => slice.endpoints?.length ?? 0
  // The fullest of those that change anyway first.
  update.sort((a, b) => count(b) - count(a))
  const filled = update.map((slice) =>
    count(slice) < most
      ? { ...slice, endpoints: [...(slice.endpoints ?? []), ...added.splice(0, most - count(slice))] }
      : slice,
  )
  // A slice that would go is used before a new one is made.
  while (added.length > 0 && remove.length > 0) {
    const slice = remove.shift()
    if (slice) filled.push({ ...slice, endpoints: added.splice(0, most) })
  }
  while (added.length > 0) {
    const best =
      added.length >= most
        ? undefined
        : unchanged.filter((slice) => count(slice) + added.length <= most).sort((a, b) => count(b) - count(a))[0]
    if (best) filled.push({ ...best, endpoints: [...(best.endpoints ?? []), ...added.splice(0)] })
    else create.push({ ports, endpoints: added.splice(0, most) })
  }
  return { create, update: filled, remove }
}
