/**
 * Zones for the endpoints of a Service that asks for them by annotation (`service.kubernetes.io/topology-mode: Auto`). Traffic stays in its zone, so each zone
 * must have endpoints in proportion to its CPUs: an endpoint serves its own zone first, and zones that have too many lend to those that have too few.
 *
 *     3 endpoints in a, 1 in b, as many CPUs in both      a: 2 of its own      b: 1 of its own and 1 of a's
 */
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { milliUnitsOf, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf } from '../../client/object.ts'
import { isTrue } from '../framework/conditions.ts'
import { zoneLabel } from './service-endpoints.ts'
import { endpointKey, type PortGroup } from './slice-plan.ts'

type FrozenEndpoint = Frozen<Endpoint>
type Groups = ReadonlyMap<string, PortGroup>
/** By zone. */
type Counts = Map<string, number>

/** So much more than its share an endpoint may have to bear. */
const overloadMax = 0.2
/** A whole number of endpoints must not become one more by how fractions are held. */
const noise = 1e-9

/** Nodes that run the cluster rather than its pods. */
const excludedLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']

/** Whether pods can run on the node: only then its CPUs count. */
export const isNodeReady = (node: Frozen<Node>): boolean => isTrue(node.status?.conditions, 'Ready')

/** Each zone's share of the CPUs; undefined when a node does not say enough, or when there are not two zones. */
export function cpuShares(nodes: readonly Frozen<Node>[]): ReadonlyMap<string, number> | undefined {
  const milliOf: Counts = new Map()
  for (const node of nodes) {
    const labels = labelsOf(node)
    if (!isNodeReady(node) || excludedLabels.some((label) => label in labels)) continue
    const zone = labels[zoneLabel]
    const milli = milliUnitsOf(parseQuantity(String(node.status?.allocatable?.['cpu'] ?? '0')))
    if (!zone || milli === 0) return undefined
    milliOf.set(zone, (milliOf.get(zone) ?? 0) + milli)
  }
  if (milliOf.size < 2) return undefined
  const total = [...milliOf.values()].reduce((sum, milli) => sum + milli, 0)
  return new Map([...milliOf].map(([zone, milli]) => [zone, milli / total]))
}

/** The groups with hints; or why there can be none, in upstream's words. */
export type Hinted = { readonly groups: Groups } | { readonly problem: string }

/** Hints for all endpoints that are ready. Those that `existing` slices have stay where that leaves every zone enough. */
export function withZoneHints(
  groups: Groups,
  existing: readonly Frozen<EndpointSlice>[],
  shares: ReadonlyMap<string, number> | undefined,
): Hinted {
  const ready = [...groups.values()].flatMap(({ endpoints }) => endpoints.filter(isReady))
  if (!shares)
    return { problem: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes' }
  const counts = `(${ready.length} endpoints, ${shares.size} zones)`
  if (shares.size > ready.length) return { problem: `Insufficient number of endpoints ${counts}` }
  const needs = needsOf(shares, ready.length)
  if (!needs)
    return {
      problem: `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`,
    }
  if (ready.some(({ zone }) => !zone)) return { problem: 'One or more endpoints do not have a zone specified' }

  const kept = assign(ready, needs, hintsOf(existing))
  const enough = [...needs].every(([zone, { least }]) => (kept.counts.get(zone) ?? 0) >= least)
  const { zones } = enough ? kept : assign(ready, needs, new Map())
  const hinted = (endpoint: FrozenEndpoint): FrozenEndpoint => {
    const zone = zones.get(endpoint)
    return zone === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name: zone }] } }
  }
  return {
    groups: new Map([...groups].map(([key, group]) => [key, { ...group, endpoints: group.endpoints.map(hinted) }])),
  }
}

const isReady = ({ conditions }: FrozenEndpoint): boolean => conditions?.ready === true

/** How many endpoints a zone should have. */
interface Need {
  readonly least: number
  readonly most: number
  /** A fraction: what its CPUs ask for. */
  readonly desired: number
}

/** What each zone needs; undefined when there are too few endpoints to go round. */
function needsOf(shares: ReadonlyMap<string, number>, endpoints: number): ReadonlyMap<string, Need> | undefined {
  const least = new Map(
    [...shares].map(([zone, share]) => [zone, Math.ceil((share * endpoints) / (1 + overloadMax) - noise)]),
  )
  const spare = endpoints - [...least.values()].reduce((sum, count) => sum + count, 0)
  if (spare < 0) return undefined
  return new Map(
    [...least].map(([zone, count]) => [
      zone,
      { least: count, most: count + spare, desired: Math.max((shares.get(zone) ?? 0) * endpoints, count) },
    ]),
  )
}

/** By `endpointKey`: the zone that an endpoint serves now. */
function hintsOf(existing: readonly Frozen<EndpointSlice>[]): ReadonlyMap<string, string> {
  const hints = new Map<string, string>()
  for (const { endpoints } of existing)
    for (const endpoint of endpoints ?? []) {
      const [first, ...more] = endpoint.hints?.forZones ?? []
      if (first && more.length === 0) hints.set(endpointKey(endpoint), first.name)
    }
  return hints
}

/** A zone for each endpoint: the one it serves, as long as that zone has no more than it may; its own; or one that has too few. */
function assign(
  ready: readonly FrozenEndpoint[],
  needs: ReadonlyMap<string, Need>,
  hints: ReadonlyMap<string, string>,
): { readonly zones: ReadonlyMap<FrozenEndpoint, string>; readonly counts: Counts } {
  const zones = new Map<FrozenEndpoint, string>()
  const counts: Counts = new Map()
  const put = (endpoint: FrozenEndpoint, zone: string) => {
    zones.set(endpoint, zone)
    counts.set(zone, (counts.get(zone) ?? 0) + 1)
  }
  const movable: FrozenEndpoint[] = []
  for (const endpoint of ready) {
    const zone = hints.get(endpointKey(endpoint))
    const need = zone === undefined ? undefined : needs.get(zone)
    if (zone !== undefined && need && (counts.get(zone) ?? 0) < need.most) put(endpoint, zone)
    else movable.push(endpoint)
  }
  for (const endpoint of movable) put(endpoint, endpoint.zone ?? '')
  const { giving, receiving } = balance(needs, counts)
  for (const endpoint of movable) {
    const own = endpoint.zone ?? ''
    const [to] = receiving.keys()
    if (to === undefined || !giving.has(own)) continue
    counts.set(own, (counts.get(own) ?? 0) - 1)
    put(endpoint, to)
    takeOne(giving, own)
    takeOne(receiving, to)
  }
  return { zones, counts }
}

/** How many endpoints zones should lend, and borrow. Fractions are rounded so that nothing moves for less than half an endpoint. */
function balance(
  needs: ReadonlyMap<string, Need>,
  counts: ReadonlyMap<string, number>,
): { readonly giving: Counts; readonly receiving: Counts } {
  // A zone without CPUs of its own, whose nodes are not ready for one, needs nothing.
  const surplus = new Map(
    [...new Set([...needs.keys(), ...counts.keys()])].map((zone) => [
      zone,
      (counts.get(zone) ?? 0) - (needs.get(zone)?.desired ?? 0),
    ]),
  )
  const giving: Counts = new Map()
  const receiving: Counts = new Map()
  for (;;) {
    const ranked = [...surplus].sort(([, a], [, b]) => b - a)
    const [from, extra] = ranked[0] ?? ['', 0]
    const [to, negative] = ranked.at(-1) ?? ['', 0]
    if (extra < 0.5 || -negative < 0.5 || (extra < 1 && -negative < 1)) return { giving, receiving }
    giving.set(from, (giving.get(from) ?? 0) + 1)
    receiving.set(to, (receiving.get(to) ?? 0) + 1)
    surplus.set(from, extra - 1)
    surplus.set(to, negative + 1)
  }
}

function takeOne(counts: Counts, zone: string): void {
  const left = (counts.get(zone) ?? 0) - 1
  if (left > 0) counts.set(zone, left)
  else counts.delete(zone)
}
