import { createHash } from 'node:crypto'
import type { SetSpec } from '../../nftables/nft.ts'
import type { Family, ProxyConfig } from '../config.ts'
import type { ServicePort } from '../service-port.ts'

/** Sets and maps that all Services share. */
export const clusterIpsSet = 'cluster-ips'
export const serviceIpsMap = 'service-ips'
export const nodePortsMap = 'service-nodeports'
export const noEndpointServicesMap = 'no-endpoint-services'
export const noEndpointNodePortsMap = 'no-endpoint-nodeports'
export const firewallIpsMap = 'firewall-ips'
export const nodePortIpsSet = 'nodeport-ips'
/** Endpoints as pairs of the same address: a packet from one to itself needs another source to come back by this node. */
export const hairpinSet = 'hairpin'

/** The chain that every packet to a Service passes; it always has rules, so one that is empty was flushed by somebody else. */
export const servicesChain = 'services'
export const rejectChain = 'reject-packet'
export const offClusterChain = 'masquerade-off-cluster'

/** The words that differ between the families. */
export const words = (
  family: Family,
): { readonly ip: string; readonly address: string; readonly notLoopback: string } =>
  family === 'ip'
    ? { ip: 'ip', address: 'ipv4_addr', notLoopback: 'ip daddr != 127.0.0.0/8' }
    : { ip: 'ip6', address: 'ipv6_addr', notLoopback: 'ip6 daddr != ::1' }

/** What the shared sets hold. */
export function sharedSets(family: Family): ReadonlyMap<string, SetSpec> {
  const { address } = words(family)
  const byAddress = `${address} . inet_proto . inet_service : verdict`
  const byPort = 'inet_proto . inet_service : verdict'
  return new Map<string, SetSpec>([
    [clusterIpsSet, { type: address }],
    [serviceIpsMap, { type: byAddress }],
    [nodePortsMap, { type: byPort }],
    [noEndpointServicesMap, { type: byAddress }],
    [noEndpointNodePortsMap, { type: byPort }],
    [firewallIpsMap, { type: byAddress }],
    [nodePortIpsSet, { type: address, flags: ['interval'] }],
    [hairpinSet, { type: `${address} . ${address}` }],
  ])
}

/** A statement that asks for masquerading after routing. */
export const askForMasquerade = (config: ProxyConfig): string => `meta mark set meta mark or ${markOf(config)}`

/** The mark by which it is asked. */
export const markOf = ({ masqueradeBit }: ProxyConfig): number => (1 << masqueradeBit) >>> 0

/** nft's limit on names. */
const nameLengthMax = 120

/** The end of the names of a Service port's chains: a hash that makes them one's own, then what a reader wants to know. */
export function chainBase({ service, portName, protocol }: ServicePort, endpoint = ''): string {
  const readable = `${service}/${protocol}/${portName}${endpoint && `__${endpoint}`}`
  const hash = createHash('sha256').update(readable).digest('hex').slice(0, 8)
  return `${hash}-${readable.replace(/[^a-zA-Z0-9/_.-]/g, '.')}`.slice(0, nameLengthMax)
}
