import { hostname } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import {
  ensureMachineNetwork,
  removeMachineNetwork,
  type MachineNetworkOptions,
} from '../network/machine/machine-network.ts'
import { namesOf, namespacePath } from '../network/machine/config.ts'
import { realNft } from '../nftables/real.ts'
import type { ClusterConfig } from './config/settings.ts'
import { entryPoint } from './daemon.ts'
import { findProgram } from './host/programs.ts'
import { clusterPaths } from './paths.ts'
import { endProcess, keepRunning, startDetached } from './process/child.ts'
import { nodePlans, type ClusterRecord } from './record.ts'

/** The network that the nodes of a cluster with several nodes are on. */
function machineNetwork(config: ClusterConfig): MachineNetworkOptions {
  return {
    run: runCommand,
    nft: realNft({ run: runCommand }),
    config: {
      cluster: config.name,
      subnet: config.nodeCIDR,
      outside: !config.isolated,
      hostRoutes: [config.serviceCIDR, config.podCIDR],
    },
  }
}

/** Makes the nodes' network namespaces and the switch between them. */
export async function ensureMachine(config: ClusterConfig): Promise<void> {
  const plans = nodePlans({ config, simulated: false, advertiseAddress: '' }, hostname())
  await ensureMachineNetwork(
    machineNetwork(config),
    plans.map(({ name, address }) => ({ name, ...(address !== undefined && { address }) })),
  )
}

/** Removes them. */
export const removeMachine = (config: ClusterConfig): Promise<void> => removeMachineNetwork(machineNetwork(config))

/** The path of a node's network namespace. */
export const nodeNamespace = (cluster: string, node: string): string =>
  namespacePath(`${namesOf(cluster).prefix}${node}`)

/** The process id file of a node's own process. */
export const nodeProcessFile = (cluster: string, node: string): string =>
  join(clusterPaths(cluster).node(node).run, 'node.pid')

/** How a command runs on a machine of its own name: what pods on the host's network see as theirs. Without the program, they see this machine's. */
function underHostname(name: string): string[] {
  const unshare = findProgram('unshare')
  return unshare
    ? [unshare, '--uts', '--', 'sh', '-c', 'echo "$0" 2>/dev/null >/proc/sys/kernel/hostname; exec "$@"', name]
    : []
}

/**
 * Keeps a process for each node running in the node's network namespace; ones that run already are adopted. They go on when this process dies, and are ended
 * by `close`.
 */
export async function ensureNodeProcesses({
  record,
  clock,
  log,
}: Deps & { record: ClusterRecord }): Promise<{ close(): Promise<void> }> {
  const { config } = record
  const names = nodePlans(record, hostname()).map(({ name }) => name)
  const kept = names.map((name) => {
    const file = nodeProcessFile(config.name, name)
    return {
      file,
      start: () => {
        log.info({ component: 'cluster', node: name }, 'starting the node')
        startDetached({
          command: findProgram('nsenter') ?? 'nsenter',
          args: [
            `--net=${nodeNamespace(config.name, name)}`,
            ...underHostname(name),
            process.execPath,
            ...process.execArgv,
            entryPoint,
            'run',
            config.name,
            '--node',
            name,
          ],
          file,
          log: join(clusterPaths(config.name).logs, `${name}.log`),
        })
      },
      failed: (error: unknown) =>
        log.error({ component: 'cluster', node: name, err: error }, 'the node cannot be started'),
    }
  })
  const cancel = keepRunning(kept, clock)
  return {
    async close() {
      cancel()
      await Promise.all(names.map((name) => endProcess(nodeProcessFile(config.name, name), clock, 20_000)))
    },
  }
}
