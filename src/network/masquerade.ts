import type { NftStep } from '../nftables/nft.ts'
import type { NodeNetworkConfig } from './config.ts'

/** What the node's own packet rules are made from. */
export interface MasqueradeView {
  readonly config: Pick<NodeNetworkConfig, 'clusterCidrs' | 'tableName' | 'bridge' | 'masquerade'>
  readonly podCidrs: readonly string[]
  /** The kernel shows bridged packets to the rules (br_netfilter). */
  readonly bridgedPacketsSeen: boolean
}

const sourceTranslation = 100

/**
 * The rules as one transaction that puts them in the place of the last ones. Pods keep their address within the cluster; what leaves it gets the
 * node's. Where bridged packets bypass the rules, a pod's answer to a neighbour that asked by a Service would not be translated back, so the neighbour's address is replaced.
 */
export function masqueradeSteps({ config, podCidrs, bridgedPacketsSeen }: MasqueradeView): NftStep[] {
  const table = { family: 'inet', name: config.tableName } as const
  const steps: NftStep[] = [
    { do: 'add table', table },
    { do: 'delete table', table },
    { do: 'add table', table },
    {
      do: 'add chain',
      table,
      chain: 'postrouting',
      hook: { type: 'nat', hook: 'postrouting', priority: sourceTranslation },
    },
  ]
  for (const cidr of podCidrs) {
    const ip = cidr.includes(':') ? 'ip6' : 'ip'
    const inside = config.clusterCidrs
      .filter((cluster) => cluster.includes(':') === cidr.includes(':'))
      .map((cluster) => ` ${ip} daddr != ${cluster}`)
    const multicast = ip === 'ip' ? '224.0.0.0/4' : 'ff00::/8'
    if (config.masquerade)
      steps.push({
        do: 'add rule',
        table,
        chain: 'postrouting',
        rule: `${ip} saddr ${cidr}${inside.join('')} ${ip} daddr != ${multicast} oifname != "${config.bridge}" masquerade fully-random`,
      })
    if (!bridgedPacketsSeen)
      steps.push({
        do: 'add rule',
        table,
        chain: 'postrouting',
        rule: `${ip} saddr ${cidr} oifname "${config.bridge}" ct status dnat masquerade fully-random`,
      })
  }
  return steps
}
