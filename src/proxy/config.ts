/** An IP family by its name in nftables. */
export type Family = 'ip' | 'ip6'

/** What decides how Services become rules. */
export interface ProxyConfig {
  /** The families that the node has. */
  readonly families: readonly Family[]
  /** The pods' addresses: what comes from elsewhere to a ClusterIP is masqueraded, and pods' own traffic to external addresses is known by it. Empty: neither is done. */
  readonly clusterCidrs: readonly string[]
  /** The Services' addresses: what is sent to one that no Service has is rejected. */
  readonly serviceCidrs: readonly string[]
  /** Masquerade everything that is sent to a ClusterIP. */
  readonly masqueradeAll: boolean
  /** Bit of the packet mark that asks for masquerading, 0 to 31. */
  readonly masqueradeBit: number
  /** Blocks of addresses on which NodePorts answer; 'primary' is the node's own. Empty: all of the node's. Never loopback. */
  readonly nodePortAddresses: readonly string[]
  /** Name of the table, in each family. */
  readonly tableName: string
  /** Changes that come within this time are applied together. */
  readonly minSyncPeriodMs: number
  /** How often the rules are checked to be still there, and how soon a failed transaction is tried again. */
  readonly syncPeriodMs: number
}

/** The usual: IPv4 with Kubernode's own ranges. */
export const defaultProxyConfig: ProxyConfig = {
  families: ['ip'],
  clusterCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/12'],
  masqueradeAll: false,
  masqueradeBit: 14,
  nodePortAddresses: [],
  tableName: 'kubernode-proxy',
  minSyncPeriodMs: 100,
  syncPeriodMs: 30_000,
}
