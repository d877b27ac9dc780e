import { isIPv6 } from 'node:net'
import type { Node, Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../api/resource.ts'
import type { LoadBalancerConfig } from './config.ts'
import { addressesOf, parseRange, rangeHas } from './range.ts'

/** What a Service has of the addresses. */
export interface Holding {
  readonly addresses: readonly string[]
  /** 'TCP/80' */
  readonly ports: readonly string[]
}

/** What a decision looks at. */
export interface AllocationView {
  readonly config: LoadBalancerConfig
  readonly nodes: readonly Frozen<Node>[]
  readonly slices: readonly Frozen<EndpointSlice>[]
  /** The other Services' holdings, by their key. */
  readonly others: ReadonlyMap<string, Holding>
}

/** The Service's addresses, or why it cannot have any now. */
export type Allocation = { readonly addresses: readonly string[] } | { readonly refused: string }

const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'
const toBeDeletedTaint = 'ToBeDeletedByClusterAutoscaler'

/** A Service's ports as they are held. */
export const portsOf = (service: Frozen<Service>): string[] =>
  (service.spec?.ports ?? []).map(({ protocol, port }) => `${protocol ?? 'TCP'}/${port}`)

/** The addresses in a Service's status. */
export const ingressOf = (service: Frozen<Service>): string[] =>
  (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []))

/** Which addresses a Service gets. Pure; what it has already it keeps where that is possible. */
export function allocate(service: Frozen<Service>, view: AllocationView): Allocation {
  const families = service.spec?.ipFamilies?.length ? service.spec.ipFamilies : ['IPv4']
  return view.config.addresses === 'nodes' ? fromNodes(service, families, view) : fromRanges(service, families, view)
}

function fromNodes(
  service: Frozen<Service>,
  families: readonly string[],
  { config, nodes, slices, others }: AllocationView,
): Allocation {
  for (const port of portsOf(service)) {
    if (config.reservedPorts.includes(port)) return { refused: `port ${port} is the nodes' own` }
    const holder = [...others].find(([, { ports }]) => ports.includes(port))
    if (holder) return { refused: `port ${port} of the nodes is used by the Service ${holder[0]}` }
  }
  const usable = nodes.filter(isUsable)
  const ready = usable.filter(isReady)
  const candidates = ready.length > 0 ? ready : usable
  const local =
    service.spec?.externalTrafficPolicy === 'Local'
      ? new Set(
          slices
            .flatMap((slice) => slice.endpoints ?? [])
            .flatMap(({ nodeName, conditions }) => (nodeName && (conditions?.ready ?? true) ? [nodeName] : [])),
        )
      : undefined
  const serving =
    local && candidates.some(({ metadata }) => local.has(metadata.name ?? ''))
      ? candidates.filter(({ metadata }) => local.has(metadata.name ?? ''))
      : candidates
  const addresses = serving.flatMap((node) =>
    (node.status?.addresses ?? []).flatMap(({ type, address }) =>
      type === 'InternalIP' && families.includes(isIPv6(address) ? 'IPv6' : 'IPv4') ? [address] : [],
    ),
  )
  return { addresses: [...new Set(addresses)].sort() }
}

/** Nodes that may stand for load balancers. */
const isUsable = (node: Frozen<Node>): boolean =>
  node.metadata.deletionTimestamp === undefined &&
  node.metadata.labels?.[excludeLabel] === undefined &&
  !node.spec?.taints?.some(({ key }) => key === toBeDeletedTaint)

const isReady = (node: Frozen<Node>): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

/** Of a range as large as IPv6 allows, so many addresses are looked at. */
const lookedAtMax = 65_536

function fromRanges(
  service: Frozen<Service>,
  families: readonly string[],
  { config, others }: AllocationView,
): Allocation {
  const ranges = (config.addresses === 'nodes' ? [] : config.addresses).map(parseRange)
  const taken = new Set([...others.values()].flatMap(({ addresses }) => addresses))
  const wanted = service.spec?.loadBalancerIP
  const addresses: string[] = []
  for (const family of families) {
    const mine = ranges.filter((range) => (range.family === 6) === (family === 'IPv6'))
    if (wanted && isIPv6(wanted) === (family === 'IPv6')) {
      if (!mine.some((range) => rangeHas(range, wanted)))
        return { refused: `the address ${wanted} is in none of the load balancers' ranges` }
      if (taken.has(wanted)) return { refused: `the address ${wanted} is another Service's` }
      addresses.push(wanted)
      continue
    }
    const kept = ingressOf(service).find(
      (address) => !taken.has(address) && mine.some((range) => rangeHas(range, address)),
    )
    const found = kept ?? firstFree(mine, taken)
    if (found !== undefined) addresses.push(found)
  }
  return addresses.length > 0 ? { addresses } : { refused: "every address of the load balancers' ranges is taken" }
}

function firstFree(ranges: ReturnType<typeof parseRange>[], taken: ReadonlySet<string>): string | undefined {
  let looked = 0
  for (const range of ranges) {
    for (const address of addressesOf(range)) {
      if (!taken.has(address)) return address
      if (++looked > lookedAtMax) return undefined
    }
  }
  return undefined
}
