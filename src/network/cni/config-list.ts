/** What the pods' network configuration is made from. */
export interface ConfigListOptions {
  readonly bridge: string
  /** This node's pods, a block a family. */
  readonly podCidrs: readonly string[]
  readonly mtu: number | undefined
  readonly ipamDir: string
}

/** Name of the network: the folder that host-local keeps its addresses in. */
export const networkName = 'kubernode'

/** The plugins that the configuration calls. */
export const pluginNames = ['bridge', 'host-local', 'portmap', 'loopback'] as const

/** The runtime's network configuration: pods on a bridge that is their gateway, and host ports. Masquerading is not the plugin's: it would hide pods from each other. */
export function configList({ bridge, podCidrs, mtu, ipamDir }: ConfigListOptions): object {
  return {
    cniVersion: '1.0.0',
    name: networkName,
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        // The node may get another block of addresses one day; the bridge then changes its own.
        forceAddress: true,
        // A pod reaches itself through a Service: the packet leaves by the port that it came from.
        hairpinMode: true,
        ipMasq: false,
        ...(mtu !== undefined && { mtu }),
        ipam: {
          type: 'host-local',
          dataDir: ipamDir,
          ranges: podCidrs.map((subnet) => [{ subnet }]),
          routes: podCidrs.map((subnet) => ({ dst: subnet.includes(':') ? '::/0' : '0.0.0.0/0' })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}
