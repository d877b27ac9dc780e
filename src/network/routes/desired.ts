import { isIPv6 } from 'node:net'
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** A route as `ip route` has it. */
export interface Route {
  readonly kind: 'unicast' | 'unreachable' | 'local'
  readonly destination: string
  readonly gateway?: string
  /** The address that the node's own processes use. */
  readonly source?: string
}

/** What routes are made from. */
export interface RoutesView {
  readonly nodeName: string
  readonly nodes: readonly Frozen<Node>[]
  readonly clusterCidrs: readonly string[]
  readonly serviceCidrs: readonly string[]
}

/** A node's own addresses. */
export const internalIps = (node: Frozen<Node>): string[] =>
  (node.status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : []))

/** A node's blocks of pod addresses. */
export const podCidrsOf = (node: Frozen<Node>): string[] =>
  node.spec?.podCIDRs?.length ? [...node.spec.podCIDRs] : node.spec?.podCIDR ? [node.spec.podCIDR] : []

const sameFamily = (a: string, b: string) => isIPv6(a.split('/')[0] ?? '') === isIPv6(b.split('/')[0] ?? '')

/**
 * The node's routes, from what was seen. Pods of other nodes are behind those nodes; pods that nobody has are unreachable, so that a packet for one
 * never leaves by the default route; the Service range is local, since routing comes before translation for the node's own processes and needs some way.
 */
export function desiredRoutes({ nodeName, nodes, clusterCidrs, serviceCidrs }: RoutesView): Route[] {
  const me = nodes.find((node) => node.metadata.name === nodeName)
  const routes: Route[] = clusterCidrs.map((destination) => ({ kind: 'unreachable', destination }))
  for (const destination of serviceCidrs) {
    const source = me && internalIps(me).find((address) => sameFamily(address, destination))
    if (source !== undefined) routes.push({ kind: 'local', destination, source })
  }
  const taken = new Set<string>()
  for (const node of [...nodes].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
    if (node.metadata.name === nodeName) continue
    for (const destination of podCidrsOf(node)) {
      const gateway = internalIps(node).find((address) => sameFamily(address, destination))
      if (gateway === undefined || taken.has(destination)) continue
      taken.add(destination)
      routes.push({ kind: 'unicast', destination, gateway })
    }
  }
  return routes
}
