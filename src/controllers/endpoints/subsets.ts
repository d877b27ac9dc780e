import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

type Address = Frozen<EndpointAddress>
type Port = Frozen<EndpointPort>
type Subset = Frozen<EndpointSubset>

/** An address with one of its ports; undefined: without any. */
export interface Reachable {
  readonly address: Address
  readonly port: Port | undefined
  readonly ready: boolean
}

const addressKey = ({ ip, targetRef }: Address): string => `${ip}\0${targetRef?.uid ?? ''}`
const portKey = ({ name, protocol, port, appProtocol }: Port): string =>
  `${name ?? ''}\0${protocol ?? 'TCP'}\0${port}\0${appProtocol ?? ''}`
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** As few subsets as the addresses' sets of ports allow, in an order that depends on the content only. An address that is both ready and not counts as not ready. */
export function subsetsOf(reachable: readonly Reachable[]): Subset[] {
  const byAddress = new Map<string, { address: Address; ready: boolean; ports: Map<string, Port> }>()
  for (const { address, port, ready } of reachable) {
    const entry = byAddress.get(addressKey(address)) ?? { address, ready, ports: new Map<string, Port>() }
    entry.ready &&= ready
    if (port) entry.ports.set(portKey(port), port)
    byAddress.set(addressKey(address), entry)
  }
  const groups = new Map<string, { ports: Port[]; ready: Address[]; notReady: Address[] }>()
  for (const { address, ready, ports } of byAddress.values()) {
    const keys = [...ports.keys()].sort()
    const group = groups.get(keys.join('\n')) ?? {
      ports: keys.flatMap((key) => ports.get(key) ?? []),
      ready: [],
      notReady: [],
    }
    ;(ready ? group.ready : group.notReady).push(address)
    groups.set(keys.join('\n'), group)
  }
  const sorted = (addresses: Address[]) => addresses.sort((a, b) => byText(addressKey(a), addressKey(b)))
  return [...groups]
    .sort(([a], [b]) => byText(a, b))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 && { addresses: sorted(ready) }),
      ...(notReady.length > 0 && { notReadyAddresses: sorted(notReady) }),
      ...(ports.length > 0 && { ports }),
    }))
}

/** The same subsets with at most `most` addresses in all: ready ones are kept first, each subset keeps its share. */
export function truncated(subsets: readonly Subset[], most: number): Subset[] | undefined {
  const ready = subsets.reduce((sum, { addresses = [] }) => sum + addresses.length, 0)
  const notReady = subsets.reduce((sum, { notReadyAddresses = [] }) => sum + notReadyAddresses.length, 0)
  if (ready + notReady <= most) return undefined
  const readyRoom = Math.min(ready, most)
  const takeReady = sharing(ready, readyRoom)
  const takeNotReady = sharing(notReady, most - readyRoom)
  return subsets.flatMap((subset) => {
    const addresses = takeReady(subset.addresses ?? [])
    const waiting = takeNotReady(subset.notReadyAddresses ?? [])
    if (addresses.length + waiting.length === 0) return []
    return [
      {
        ...(addresses.length > 0 && { addresses }),
        ...(waiting.length > 0 && { notReadyAddresses: waiting }),
        ...(subset.ports && { ports: subset.ports }),
      },
    ]
  })
}

/** Takes from each list in turn its share of `room`, rounded up: the last ones have what is left. */
function sharing(total: number, room: number): (list: readonly Address[]) => Address[] {
  let left = room
  return (list) => {
    const taken = list.slice(0, Math.min(left, Math.ceil((list.length * room) / total)))
    left -= taken.length
    return taken
  }
}
