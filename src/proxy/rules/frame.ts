import { isIPv4, isIPv6 } from 'node:net'
import type { Family, ProxyConfig } from '../config.ts'
import {
  clusterIpsSet,
  firewallIpsMap,
  hairpinSet,
  markOf,
  askForMasquerade,
  noEndpointNodePortsMap,
  noEndpointServicesMap,
  nodePortIpsSet,
  nodePortsMap,
  offClusterChain,
  rejectChain,
  serviceIpsMap,
  servicesChain,
  sharedSets,
  words,
} from './names.ts'
import { PlanDraft } from './plan.ts'
import type { Plan } from './plan.ts'

/** Priorities of the kernel's own names, dstnat and srcnat; the first one stands before address translation. */
const beforeTranslation = -110
const translation = -100
const filter = 0
const sourceTranslation = 100

/** What of a list belongs to a family: addresses or blocks. */
export const ofFamily = (family: Family, list: readonly string[]): string[] =>
  list.filter((item) => (family === 'ip' ? isIPv4 : isIPv6)(item.split('/')[0] ?? ''))

/**
 * The chains and maps that every Service hangs in. A packet's way: source ranges (before translation), then `services`, which finds the
 * Service's chain by a map, then, still addressed to a Service, one of the rejections, and at the end masquerading where it was asked for.
 */
export function frame(config: ProxyConfig, family: Family, nodePortBlocks: readonly string[]): Plan {
  const draft = new PlanDraft()
  for (const [name, spec] of sharedSets(family)) draft.sets.set(name, spec)
  for (const block of nodePortBlocks) draft.element(nodePortIpsSet, block)
  baseChains(draft)
  dispatch(draft, config, family)
  rejections(draft, config, family)
  masquerading(draft, config, family)
  return draft
}

function baseChains(draft: PlanDraft): void {
  const onNew = (...chains: readonly string[]) => chains.map((chain) => `ct state new jump ${chain}`)
  draft.baseChain(
    'filter-prerouting-pre-dnat',
    { type: 'filter', hook: 'prerouting', priority: beforeTranslation },
    ...onNew('firewall-check'),
  )
  draft.baseChain(
    'filter-output-pre-dnat',
    { type: 'filter', hook: 'output', priority: beforeTranslation },
    ...onNew('firewall-check'),
  )
  // The Service range is a local route on the node, so what was not translated arrives at input too.
  draft.baseChain(
    'filter-input',
    { type: 'filter', hook: 'input', priority: filter },
    ...onNew('nodeport-endpoints-check', 'service-endpoints-check', 'cluster-ips-check'),
  )
  draft.baseChain(
    'filter-forward',
    { type: 'filter', hook: 'forward', priority: filter },
    ...onNew('service-endpoints-check', 'cluster-ips-check'),
  )
  draft.baseChain(
    'filter-output',
    { type: 'filter', hook: 'output', priority: filter },
    ...onNew('service-endpoints-check', 'cluster-ips-check'),
  )
  draft.baseChain('nat-prerouting', { type: 'nat', hook: 'prerouting', priority: translation }, `jump ${servicesChain}`)
  draft.baseChain('nat-output', { type: 'nat', hook: 'output', priority: translation }, `jump ${servicesChain}`)
  draft.baseChain(
    'nat-postrouting',
    { type: 'nat', hook: 'postrouting', priority: sourceTranslation },
    'jump masquerading',
  )
}

function dispatch(draft: PlanDraft, config: ProxyConfig, family: Family): void {
  const { ip } = words(family)
  const byAddress = `${ip} daddr . meta l4proto . th dport vmap`
  draft.chain('firewall-check', `${byAddress} @${firewallIpsMap}`)
  draft.chain(
    servicesChain,
    `${ip} daddr @${clusterIpsSet} jump ${offClusterChain}`,
    `${byAddress} @${serviceIpsMap}`,
    `${nodePortMatch(config, family, true)} meta l4proto . th dport vmap @${nodePortsMap}`,
  )
}

/** Which addresses NodePorts answer on. `local`: the hook also sees packets for other machines. */
function nodePortMatch(config: ProxyConfig, family: Family, local: boolean): string {
  const { ip, notLoopback } = words(family)
  const isLocal = local ? 'fib daddr type local ' : ''
  if (config.nodePortAddresses.length > 0) return `${isLocal}${ip} daddr @${nodePortIpsSet}`
  const notService = ofFamily(family, config.serviceCidrs).map((cidr) => ` ${ip} daddr != ${cidr}`)
  return `${isLocal}${notLoopback}${notService.join('')}`
}

function rejections(draft: PlanDraft, config: ProxyConfig, family: Family): void {
  const { ip } = words(family)
  draft.chain(rejectChain, 'reject')
  draft.chain('service-endpoints-check', `${ip} daddr . meta l4proto . th dport vmap @${noEndpointServicesMap}`)
  draft.chain(
    'nodeport-endpoints-check',
    `${nodePortMatch(config, family, false)} meta l4proto . th dport vmap @${noEndpointNodePortsMap}`,
  )
  draft.chain(
    'cluster-ips-check',
    `${ip} daddr @${clusterIpsSet} reject`,
    ...ofFamily(family, config.serviceCidrs).map((cidr) => `${ip} daddr ${cidr} reject`),
  )
}

function masquerading(draft: PlanDraft, config: ProxyConfig, family: Family): void {
  const { ip } = words(family)
  const mark = markOf(config)
  const inside = ofFamily(family, config.clusterCidrs)
  // What comes from outside of the cluster may have come by any node, and must go back by it. Where pods' addresses are not known, nobody is outside.
  if (config.masqueradeAll) draft.chain(offClusterChain, askForMasquerade(config))
  else if (inside.length > 0)
    draft.chain(offClusterChain, ...inside.map((cidr) => `${ip} saddr ${cidr} return`), askForMasquerade(config))
  else draft.chain(offClusterChain)
  draft.chain(
    'masquerading',
    `meta mark and ${mark} != 0 meta mark set meta mark xor ${mark} masquerade fully-random`,
    `ct status dnat oifname != "lo" ${ip} saddr . ${ip} daddr @${hairpinSet} masquerade fully-random`,
  )
}
