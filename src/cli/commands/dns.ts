import { hostname } from 'node:os'
import type { Command } from 'commander'
import { newClient } from '../../client/client.ts'
import { startDns } from '../../dns/dns.ts'
import { readUpstreams } from '../../dns/forward/resolv-conf.ts'
import { ensureDnsService } from '../../dns/service.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, booleanOf, numberOf, type ComponentFlag } from './component-flags.ts'
import { transportOf } from './kubeconfig-flag.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--bind-address <address>', 'address to listen on', '0.0.0.0'],
  ['--port <port>', 'port to listen on, UDP and TCP', '53'],
  ['--cluster-domain <domain>', 'domain of the cluster', 'cluster.local'],
  ['--resolv-conf <file>', 'names the resolvers for everything else', '/etc/resolv.conf'],
  ['--hostname-override <name>', 'name of this node instead of the machine’s'],
  ['--publish [bool]', 'put this server behind the Service kube-system/kube-dns (needs --bind-address)'],
  ['--cluster-dns <address>', 'address of that Service', '10.96.0.10'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode dns`: the cluster's DNS alone. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('dns', numberOf(given['v']!, 'v'))
    const transport = await transportOf(given['kubeconfig'], {
      deps,
      userAgent: 'kubernode-dns',
    })
    const client = newClient(transport)
    const address = { host: given['bindAddress']!, port: numberOf(given['port']!, 'port') }
    const upstreams = await readUpstreams(given['resolvConf'])
    const dns = await startDns({
      ...deps,
      client,
      clusterDomain: given['clusterDomain']!,
      listen: [address],
      upstreams,
    })
    if (booleanOf(given['publish'], 'publish')) {
      const nodeName = (given['hostnameOverride'] ?? hostname()).toLowerCase()
      await ensureDnsService(client, [{ nodeName, address: address.host, port: address.port }], {
        clusterIp: given['clusterDns']!,
      })
    }
    deps.log.info({ upstreams: upstreams.length }, 'answering')
    await runUntilSignal(deps, async () => {
      await dns.close()
      await transport.close()
    })
  })
}
