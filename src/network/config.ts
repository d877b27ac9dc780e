/** How a node's pods are connected. */
export interface NodeNetworkConfig {
  /** Addresses of all pods of the cluster, a block an IP family. */
  readonly clusterCidrs: readonly string[]
  /** Addresses of Services, a block an IP family. */
  readonly serviceCidrs: readonly string[]
  /** Where the runtime looks for its network configuration: '/etc/cni/net.d'. */
  readonly cniConfigDir: string
  readonly cniConfigName: string
  /** Where `bridge`, `host-local`, `portmap` and `loopback` may be; the first folder that has all of them counts. */
  readonly cniBinDirs: readonly string[]
  /** Where host-local keeps who has which address: a folder of the node's own. */
  readonly ipamDir: string
  /** The link that pods are plugged into; at most 15 letters. */
  readonly bridge: string
  /** Largest packet of pods' links; undefined: as large as on the link that has the node's address. */
  readonly mtu: number | undefined
  /** Replace pods' addresses by the node's in what leaves the cluster. */
  readonly masquerade: boolean
  /** Name of the nftables table. */
  readonly tableName: string
  /** The number by which the kernel's routes say who made them: ours are found, and removed, by it. */
  readonly routeProtocol: number
}

/** The usual, for everything that need not differ between nodes of one machine. */
export const defaultNodeNetworkConfig = {
  clusterCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/12'],
  cniConfigDir: '/etc/cni/net.d',
  cniConfigName: '10-kubernode.conflist',
  cniBinDirs: ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'],
  bridge: 'kubernode0',
  mtu: undefined,
  masquerade: true,
  tableName: 'kubernode-network',
  routeProtocol: 86,
} as const satisfies Omit<NodeNetworkConfig, 'ipamDir'>
