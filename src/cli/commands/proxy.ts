import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Command } from 'commander'
import { runCommand } from '../../base/command.ts'
import { newClient } from '../../client/client.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { realNft } from '../../nftables/real.ts'
import { blocksOf, listenOf, readComponentConfig } from '../../proxy/component-config.ts'
import { removeProxyRules, startProxy } from '../../proxy/proxy.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, booleanOf, configOf, listOf, numberOf, type ComponentFlag } from './component-flags.ts'
import { transportOf } from './kubeconfig-flag.ts'

const flags: readonly ComponentFlag[] = [
  ['--config <file>', 'KubeProxyConfiguration; flags that are given too count more'],
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--hostname-override <name>', 'name of this node instead of the machine’s'],
  ['--cluster-cidr <cidrs>', 'addresses of Pods'],
  ['--proxy-mode <mode>', 'nftables is the one that is there'],
  ['--nodeport-addresses <cidrs>', 'on which of the node’s addresses NodePorts answer'],
  ['--masquerade-all [bool]', 'masquerade everything that is sent to a Service'],
  ['--healthz-bind-address <address>', 'where /healthz is served', undefined],
  ['--metrics-bind-address <address>', 'where /metrics is served', undefined],
  ['--cleanup [bool]', 'remove the rules and end'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** There when the kernel has IPv6. */
const ipv6Interfaces = '/proc/net/if_inet6'

/** `kubernode proxy`: the service proxy alone, with upstream's flags and configuration file. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const nft = realNft({ run: runCommand })
    if (booleanOf(given['cleanup'], 'cleanup')) return removeProxyRules(nft)
    const deps = await componentDeps('proxy', numberOf(given['v']!, 'v'))
    const file = configOf(given['config'], readComponentConfig)
    for (const note of file?.notes ?? []) deps.log.warn({}, note)
    const transport = await transportOf(given['kubeconfig'] ?? file?.kubeconfig, {
      deps,
      userAgent: 'kube-proxy',
    })
    const masqueradeAll = booleanOf(given['masqueradeAll'], 'masquerade-all')
    if ((given['proxyMode'] ?? 'nftables') !== 'nftables')
      deps.log.warn({}, `mode ${given['proxyMode']} is not there; Services are rules of nftables`)
    const clusterCidrs = blocks(given['clusterCidr'], 'cluster-cidr', 'clusterCIDR')
    const nodePortAddresses = blocks(given['nodeportAddresses'], 'nodeport-addresses', 'nodePortAddresses')
    const proxy = await startProxy({
      ...deps,
      client: newClient(transport),
      nft,
      nodeName: (given['hostnameOverride'] ?? file?.hostname ?? hostname()).toLowerCase(),
      // Without ranges in the flags the cluster's own objects tell them; pods' addresses nobody tells.
      config: {
        families: existsSync(ipv6Interfaces) ? ['ip', 'ip6'] : ['ip'],
        clusterCidrs: [],
        serviceCidrs: [],
        ...file?.config,
        ...(clusterCidrs && { clusterCidrs }),
        ...(nodePortAddresses && { nodePortAddresses }),
        ...(masqueradeAll !== undefined && { masqueradeAll }),
      },
      followServiceCidrs: true,
      healthListen: listenOf(given['healthzBindAddress'], 10_256) ??
        file?.healthListen ?? { host: '0.0.0.0', port: 10_256 },
      metricsListen: listenOf(given['metricsBindAddress'], 10_249) ??
        file?.metricsListen ?? { host: '127.0.0.1', port: 10_249 },
    })
    deps.log.info({}, 'proxying')
    await runUntilSignal(deps, async () => {
      await proxy.close()
      await transport.close()
    })
  })
}

function blocks(
  text: string | undefined,
  flag: string,
  field: Parameters<typeof blocksOf>[1],
): readonly string[] | undefined {
  try {
    return blocksOf(listOf(text), field)
  } catch (error) {
    throw new Problem(
      'KN-CONFIG-02',
      `--${flag} is ${JSON.stringify(text)}: it must be blocks of addresses`,
      'give blocks such as 10.244.0.0/16,fd00:244::/56',
      {
        exitCode: exitCodes.usage,
        cause: error,
      },
    )
  }
}
