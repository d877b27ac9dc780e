import { goDurationMs } from '../base/go-duration.ts'
import { readConfig } from '../api/component-config/read.ts'
import { isBlock } from './address.ts'
import type { ProxyConfig } from './config.ts'
import { proxyConfigurationKind } from './configuration-kind.ts'
import type { Listen } from './health/server.ts'

/** What a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) or the flags of the same names say, as far as a proxy in nftables has to do with it. */
export interface ProxyComponentConfig {
  readonly kubeconfig: string | undefined
  readonly hostname: string | undefined
  readonly config: Partial<ProxyConfig>
  readonly healthListen: Listen | undefined
  readonly metricsListen: Listen | undefined
  /** What is there but not as the file says, in sentences. */
  readonly notes: readonly string[]
}

/** The file's fields that are read; all others of upstream's are about other modes. */
interface KubeProxyConfiguration {
  readonly clientConnection?: { readonly kubeconfig?: string }
  readonly hostnameOverride?: string
  readonly clusterCIDR?: string
  readonly mode?: string
  readonly nodePortAddresses?: readonly string[] | null
  readonly nftables?: {
    readonly masqueradeAll?: boolean
    readonly masqueradeBit?: number
    readonly minSyncPeriod?: string
    readonly syncPeriod?: string
  }
  readonly iptables?: { readonly masqueradeAll?: boolean; readonly masqueradeBit?: number }
  readonly bindAddress?: string
  readonly healthzBindAddress?: string
  readonly metricsBindAddress?: string
}

/** Reads a configuration file. Throws with everything in it that is unknown or cannot be read. */
export function readComponentConfig(text: string): ProxyComponentConfig {
  const file = readConfig(text, proxyConfigurationKind) as KubeProxyConfiguration
  const notes: string[] = []
  if (file.mode && file.mode !== 'nftables')
    notes.push(`mode ${file.mode} is not there; Services are rules of nftables`)
  const minSync = durationMs(file.nftables?.minSyncPeriod)
  const sync = durationMs(file.nftables?.syncPeriod)
  const cidrs = blocksOf(file.clusterCIDR?.split(','), 'clusterCIDR')
  const nodePortAddresses = blocksOf(file.nodePortAddresses ?? undefined, 'nodePortAddresses')
  const masqueradeAll = file.nftables?.masqueradeAll ?? file.iptables?.masqueradeAll
  const masqueradeBit = file.nftables?.masqueradeBit ?? file.iptables?.masqueradeBit
  if (masqueradeBit !== undefined && (masqueradeBit < 0 || masqueradeBit > 31))
    throw new Error(`masqueradeBit is ${masqueradeBit}: it must be from 0 to 31`)
  return {
    kubeconfig: file.clientConnection?.kubeconfig || undefined,
    hostname: file.hostnameOverride || undefined,
    config: {
      ...(cidrs && { clusterCidrs: cidrs }),
      ...(nodePortAddresses && { nodePortAddresses }),
      ...(masqueradeAll !== undefined && { masqueradeAll }),
      ...(masqueradeBit !== undefined && { masqueradeBit }),
      ...(minSync && { minSyncPeriodMs: minSync }),
      ...(sync && { syncPeriodMs: sync }),
    },
    healthListen: listenOf(file.healthzBindAddress, 10_256),
    metricsListen: listenOf(file.metricsBindAddress, 10_249),
    notes,
  }
}

/** Blocks of addresses; 'primary' stands for the node's own where NodePorts answer. Throws when one is none: nft would refuse every rule for it. */
export function blocksOf(
  list: readonly string[] | undefined,
  field: 'clusterCIDR' | 'nodePortAddresses',
): readonly string[] | undefined {
  const blocks = list?.map((block) => block.trim()).filter(Boolean)
  const wrong = blocks?.find((block) => !isBlock(block) && !(field === 'nodePortAddresses' && block === 'primary'))
  if (wrong !== undefined)
    throw new Error(`${field} has ${JSON.stringify(wrong)}: it must be a block of addresses such as 10.244.0.0/16`)
  return blocks
}

/** '0.0.0.0:10256', '[::]:10256', '0.0.0.0'; undefined stays undefined. */
export function listenOf(text: string | undefined, defaultPort: number): Listen | undefined {
  if (!text) return undefined
  const found = /^\[(.*)\]:(\d+)$/.exec(text) ?? /^([^:]*):(\d+)$/.exec(text)
  if (!found) return { host: text, port: defaultPort }
  return { host: found[1] || '0.0.0.0', port: Number(found[2]) }
}

/** Milliseconds of a duration as Go writes it. Undefined when there is none. */
export function durationMs(text: string | undefined): number | undefined {
  if (!text) return undefined
  const ms = goDurationMs(text)
  if (ms === undefined || ms < 0) throw new Error(`"${text}" is no duration such as 30s or 1m30s`)
  return ms
}
