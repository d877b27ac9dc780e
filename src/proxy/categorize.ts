import type { Endpoint } from './endpoint.ts'
import { usesClusterEndpoints, usesLocalEndpoints } from './service-port.ts'
import type { ServicePort } from './service-port.ts'

/** Where this node is, for hints. */
export interface Location {
  readonly nodeName: string
  /** '' when the node has no zone label. */
  readonly zone: string
}

/** The endpoints that each kind of traffic may go to. */
export interface Categorized {
  /** For traffic that may go to any node; empty too when there is no such traffic. */
  readonly cluster: readonly Endpoint[]
  /** For traffic that must stay on this node. */
  readonly local: readonly Endpoint[]
  /** There is something to send to somewhere in the cluster, though maybe not from here. */
  readonly any: boolean
}

/**
 * Who may serve: ready endpoints, or where there is none those that end but still serve, decided for each kind of traffic by itself.
 * Hints are kept only when every ready endpoint has them and this node or zone is among them.
 */
export function categorize(endpoints: readonly Endpoint[], port: ServicePort, location: Location): Categorized {
  const cluster = usesClusterEndpoints(port) ? clusterEndpoints(endpoints, location) : []
  const local = usesLocalEndpoints(port) ? withFallback(endpoints.filter((endpoint) => endpoint.local)) : []
  const any = cluster.length > 0 || (usesLocalEndpoints(port) && withFallback(endpoints).length > 0)
  return { cluster, local, any }
}

function clusterEndpoints(endpoints: readonly Endpoint[], location: Location): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? hinted(ready, location) : withFallback(endpoints)
}

function hinted(ready: readonly Endpoint[], { nodeName, zone }: Location): readonly Endpoint[] {
  for (const [hints, here] of [
    [({ nodeHints }: Endpoint) => nodeHints, nodeName],
    [({ zoneHints }: Endpoint) => zoneHints, zone],
  ] as const) {
    if (!ready.every((endpoint) => hints(endpoint).length > 0)) continue
    const near = ready.filter((endpoint) => hints(endpoint).includes(here))
    if (near.length > 0) return near
  }
  return ready
}

function withFallback(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : endpoints.filter(({ serving, terminating }) => serving && terminating)
}
