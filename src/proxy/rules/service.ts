import { isIP } from 'node:net'
import { blockHas } from '../address.ts'
import type { Family, ProxyConfig } from '../config.ts'
import type { Categorized } from '../categorize.ts'
import type { Endpoint } from '../endpoint.ts'
import { isExternal, usesClusterEndpoints, usesLocalEndpoints } from '../service-port.ts'
import type { ServicePort } from '../service-port.ts'
import { ofFamily } from './frame.ts'
import {
  askForMasquerade,
  chainBase,
  clusterIpsSet,
  firewallIpsMap,
  hairpinSet,
  noEndpointNodePortsMap,
  noEndpointServicesMap,
  nodePortsMap,
  rejectChain,
  serviceIpsMap,
  words,
} from './names.ts'
import { PlanDraft } from './plan.ts'

/** What a Service port's rules are made from. */
export interface PortRules {
  readonly config: ProxyConfig
  readonly family: Family
  readonly port: ServicePort
  readonly endpoints: Categorized
  /** The node's own addresses: source ranges that have one of them let the node itself in. */
  readonly nodeIps: readonly string[]
}

/** How the traffic of one port is led: the chains that exist, and what becomes of traffic that no chain takes. */
interface Lead {
  readonly clusterChain: string | undefined
  readonly localChain: string | undefined
  readonly externalChain: string | undefined
  /** Undefined: there is nobody for traffic to the ClusterIP … */
  readonly internalChain: string | undefined
  /** … or for traffic from outside. */
  readonly policyChain: string | undefined
  /** Of traffic that has nobody: rejected when there is nobody at all, dropped when only this node has nobody. */
  readonly otherwise: string
}

/** Adds one Service port's chains and elements to its Service's plan. */
export function addPortRules(draft: PlanDraft, rules: PortRules): void {
  const lead = leadOf(rules)
  addInternal(draft, rules, lead)
  if (isExternal(rules.port)) addExternal(draft, rules, lead)
  addFirewall(draft, rules)
  addPolicyChain(draft, rules, lead.clusterChain, rules.endpoints.cluster)
  addPolicyChain(draft, rules, lead.localChain, rules.endpoints.local)
}

function leadOf({ port, endpoints: { cluster, local, any } }: PortRules): Lead {
  const base = chainBase(port)
  const clusterChain = usesClusterEndpoints(port) && cluster.length > 0 ? `service-${base}` : undefined
  const localChain = usesLocalEndpoints(port) && local.length > 0 ? `local-${base}` : undefined
  return {
    clusterChain,
    localChain,
    externalChain: any && isExternal(port) ? `external-${base}` : undefined,
    internalChain: port.internalLocal ? localChain : clusterChain,
    policyChain: port.externalLocal ? localChain : clusterChain,
    otherwise: any ? 'drop' : `goto ${rejectChain}`,
  }
}

function addInternal(draft: PlanDraft, { port }: PortRules, lead: Lead): void {
  const key = `${port.clusterIp} . ${port.protocol} . ${port.port}`
  draft.element(clusterIpsSet, port.clusterIp)
  if (lead.internalChain === undefined) return draft.element(noEndpointServicesMap, key, lead.otherwise)
  draft.element(serviceIpsMap, key, `goto ${lead.internalChain}`)
}

function addExternal(draft: PlanDraft, { port, config, family }: PortRules, lead: Lead): void {
  for (const address of new Set([...port.externalIps, ...port.loadBalancerIps])) {
    const key = `${address} . ${port.protocol} . ${port.port}`
    if (lead.externalChain !== undefined) draft.element(serviceIpsMap, key, `goto ${lead.externalChain}`)
    if (lead.policyChain === undefined) draft.element(noEndpointServicesMap, key, lead.otherwise)
  }
  if (port.nodePort !== 0) {
    const key = `${port.protocol} . ${port.nodePort}`
    if (lead.externalChain !== undefined) draft.element(nodePortsMap, key, `goto ${lead.externalChain}`)
    if (lead.policyChain === undefined) draft.element(noEndpointNodePortsMap, key, lead.otherwise)
  }
  if (lead.externalChain === undefined) return
  draft.chain(lead.externalChain)
  if (!port.externalLocal) draft.chain(lead.externalChain, askForMasquerade(config))
  else if (lead.clusterChain !== undefined) {
    // Pods and the node itself are inside: the policy for traffic from outside is not for them.
    const { ip } = words(family)
    for (const cidr of ofFamily(family, config.clusterCidrs))
      draft.chain(lead.externalChain, `${ip} saddr ${cidr} goto ${lead.clusterChain}`)
    draft.chain(
      lead.externalChain,
      `fib saddr type local ${askForMasquerade(config)}`,
      `fib saddr type local goto ${lead.clusterChain}`,
    )
  }
  if (lead.policyChain !== undefined) draft.chain(lead.externalChain, `goto ${lead.policyChain}`)
}

function addFirewall(draft: PlanDraft, { port, family, nodeIps }: PortRules): void {
  if (port.sourceRanges.length === 0 || port.loadBalancerIps.length === 0) return
  const chain = `firewall-${chainBase(port)}`
  for (const address of port.loadBalancerIps)
    draft.element(firewallIpsMap, `${address} . ${port.protocol} . ${port.port}`, `goto ${chain}`)
  const { ip } = words(family)
  const fromNode = nodeIps.some((nodeIp) => port.sourceRanges.some((range) => blockHas(range, nodeIp)))
  // A process of the node that connects to the address has that very address as its source.
  const allowed = [...port.sourceRanges, ...(fromNode ? port.loadBalancerIps : [])]
  draft.chain(chain, ...allowed.map((source) => `${ip} saddr ${source} return`), 'drop')
}

/** Up to here a chain draws its endpoint rule by rule; a map without a name is quicker to pass, but slow to make when there are thousands of them. */
const drawnByRulesMax = 16

function addPolicyChain(
  draft: PlanDraft,
  { port, family }: PortRules,
  chain: string | undefined,
  endpoints: readonly Endpoint[],
): void {
  if (chain === undefined) return
  const { ip } = words(family)
  for (const { address } of endpoints) draft.element(hairpinSet, `${address} . ${address}`)
  if (port.affinitySeconds === undefined) {
    draft.chain(chain, ...drawTarget(port, family, endpoints))
    return
  }
  const sticky = endpoints.map((endpoint) => addStickyEndpoint(draft, port, family, endpoint))
  draft.chain(
    chain,
    ...sticky.map((name) => `${ip} saddr @${clientsSet(port, name)} goto endpoint-${name}`),
    ...drawChain(sticky),
  )
}

const targetOf = ({ address, port }: Endpoint) => (isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`)

/** Rules that send a connection to one of the endpoints, all with the same chance. */
function drawTarget({ protocol }: ServicePort, family: Family, endpoints: readonly Endpoint[]): string[] {
  const { ip } = words(family)
  if (endpoints.length > drawnByRulesMax) {
    return [
      `meta l4proto ${protocol} dnat ${ip} to numgen random mod ${endpoints.length} map { ${endpoints.map(({ address, port }, i) => `${i} : ${address} . ${port}`).join(', ')} }`,
    ]
  }
  return endpoints.map(
    (endpoint, i) => `${draw(endpoints.length - i)}meta l4proto ${protocol} dnat to ${targetOf(endpoint)}`,
  )
}

function drawChain(endpoints: readonly string[]): string[] {
  if (endpoints.length > drawnByRulesMax)
    return [
      `numgen random mod ${endpoints.length} vmap { ${endpoints.map((name, i) => `${i} : goto endpoint-${name}`).join(', ')} }`,
    ]
  return endpoints.map((name, i) => `${draw(endpoints.length - i)}goto endpoint-${name}`)
}

/** One of `left`; the last one takes what remains. */
const draw = (left: number) => (left > 1 ? `numgen random mod ${left} 0 ` : '')

/** The clients of an endpoint. The time is in the name: a set cannot get another, and none can go that rules use, so those change with it. */
const clientsSet = ({ affinitySeconds = 0 }: ServicePort, name: string) => `affinity-${affinitySeconds}s-${name}`

/** An endpoint with a set of the clients that stay with it. Gives the end of the names of its chain and set. */
function addStickyEndpoint(draft: PlanDraft, port: ServicePort, family: Family, endpoint: Endpoint): string {
  const { ip, address } = words(family)
  const name = chainBase(port, `${endpoint.address}/${endpoint.port}`)
  draft.sets.set(clientsSet(port, name), {
    type: address,
    flags: ['dynamic', 'timeout'],
    timeoutSeconds: port.affinitySeconds ?? 0,
  })
  draft.chains.set(`endpoint-${name}`, {
    rules: [
      `update @${clientsSet(port, name)} { ${ip} saddr }`,
      `meta l4proto ${port.protocol} dnat to ${targetOf(endpoint)}`,
    ],
  })
  return name
}
