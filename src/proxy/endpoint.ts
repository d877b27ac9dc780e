import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../api/resource.ts'
import { canonicalAddress } from './address.ts'
import type { Family } from './config.ts'
import { protocolOf } from './service-port.ts'
import type { ServicePort } from './service-port.ts'

/** One address and port behind a Service port. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  /** It runs on this node. */
  readonly local: boolean
  readonly zoneHints: readonly string[]
  readonly nodeHints: readonly string[]
}

/** The label by which a slice names its Service. */
const serviceNameLabel = 'kubernetes.io/service-name'

/** 'namespace/name' of a slice's Service, or undefined when it has none. */
export function serviceOf(slice: Frozen<EndpointSlice>): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel]
  return name ? `${slice.metadata.namespace}/${name}` : undefined
}

/** The endpoints of one Service port, of all its slices, in the order of their addresses. An endpoint that moves between slices is in both for a while: the better one counts. */
export function endpointsOf(
  port: ServicePort,
  family: Family,
  slices: readonly Frozen<EndpointSlice>[],
  nodeName: string,
): Endpoint[] {
  const found = new Map<string, Endpoint>()
  for (const slice of slices) {
    if (slice.addressType !== (family === 'ip' ? 'IPv4' : 'IPv6')) continue
    const number = slice.ports?.find(
      (candidate) => (candidate.name ?? '') === port.portName && protocolOf(candidate.protocol) === port.protocol,
    )?.port
    if (!number) continue
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.addresses[0] === undefined) continue
      const address = canonicalAddress(endpoint.addresses[0])
      const ready = endpoint.conditions?.ready ?? true
      const made: Endpoint = {
        address,
        port: number,
        ready,
        serving: endpoint.conditions?.serving ?? true,
        terminating: endpoint.conditions?.terminating ?? false,
        local: endpoint.nodeName !== undefined && endpoint.nodeName === nodeName,
        zoneHints: endpoint.hints?.forZones?.map(({ name }) => name) ?? [],
        nodeHints: endpoint.hints?.forNodes?.map(({ name }) => name) ?? [],
      }
      const key = `${address} ${number}`
      const known = found.get(key)
      if (!known || rank(made) > rank(known)) found.set(key, made)
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint)
}

const rank = ({ ready, serving }: Endpoint) => (ready ? 2 : serving ? 1 : 0)
