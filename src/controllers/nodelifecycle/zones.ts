import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf } from '../../client/object.ts'
import { isTrue } from '../framework/conditions.ts'
import type { ControllerOptions } from '../options.ts'

/** How much of a zone is down. */
export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

const excludeLabel = 'node.kubernetes.io/exclude-disruption'

/** What a zone is called in metrics: 'region:\0:zone'. */
export function zoneOf(node: Frozen<Node>): string {
  const labels = labelsOf(node)
  const region = labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? ''
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? ''
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`
}

/** The nodes by zone, without those that are not to count. */
export function nodesByZone(nodes: readonly Frozen<Node>[]): Map<string, Frozen<Node>[]> {
  const zones = new Map<string, Frozen<Node>[]>()
  for (const node of nodes) {
    if (labelsOf(node)[excludeLabel] !== undefined) continue
    const zone = zones.get(zoneOf(node)) ?? []
    zone.push(node)
    zones.set(zoneOf(node), zone)
  }
  return zones
}

/** How many nodes are down, and what that makes of their zone: one or two never are a disruption. */
export function stateOf(nodes: readonly Frozen<Node>[], threshold: number): { unhealthy: number; state: ZoneState } {
  const unhealthy = nodes.filter((node) => !isTrue(node.status?.conditions, 'Ready')).length
  if (nodes.length > 0 && unhealthy === nodes.length) return { unhealthy, state: 'FullDisruption' }
  const partial = unhealthy > 2 && unhealthy / nodes.length >= threshold
  return { unhealthy, state: partial ? 'PartialDisruption' : 'Normal' }
}

/** How many nodes a second are given up in a zone. A small zone in disruption gives up none: it is rather the network that is down. */
export function evictionRate(state: ZoneState, size: number, options: ControllerOptions): number {
  if (state !== 'PartialDisruption') return options.nodeEvictionRate
  return size > options.largeClusterSizeThreshold ? options.secondaryNodeEvictionRate : 0
}
