import { existsSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { runCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import { removeCachedResults } from '../network/cni/cached-results.ts'
import { removeNodeNetwork } from '../network/node-network.ts'
import { realNft } from '../nftables/real.ts'
import { removeProxyRules } from '../proxy/proxy.ts'
import { loadConfig } from './config/load.ts'
import { stopContainerd } from './containerd/containerd.ts'
import { kubeconfigPath, removeFromKubeconfig } from './kubeconfig/kubeconfig.ts'
import { stopDaemon } from './daemon.ts'
import { removeCgroups } from './leftovers/cgroups.ts'
import { unmountUnder } from './leftovers/mounts.ts'
import { nodeProcessFile, removeMachine } from './machine.ts'
import { cgroupOf, networkConfig } from './node.ts'
import { clusterPaths } from './paths.ts'
import { Problem } from './problem.ts'
import { endProcess } from './process/child.ts'
import { contextName, nodePlans, readRecord, type ClusterRecord, type NodePlan } from './record.ts'
import { stopPods } from './stop-pods.ts'

/** Stops a cluster: its processes, containers and network. Everything that must survive is kept. */
export async function takeDown(record: ClusterRecord, deps: Deps): Promise<void> {
  const { config } = record
  await stopDaemon(config.name, deps)
  if (record.simulated) return
  for (const plan of nodePlans(record, hostname())) {
    const paths = clusterPaths(config.name).node(plan.name)
    await endProcess(nodeProcessFile(config.name, plan.name), deps.clock, 20_000)
    await stopPods(paths, deps)
    await stopContainerd(paths, deps)
    await removeNetwork(record, plan)
    await unmountUnder(paths.data)
    await unmountUnder(paths.run)
  }
  if (config.nodes > 1) await removeMachine(config)
  removeCgroups(cgroupOf(config.name))
}

async function removeNetwork(record: ClusterRecord, plan: NodePlan): Promise<void> {
  const paths = clusterPaths(record.config.name).node(plan.name)
  const config = networkConfig({ record, paths })
  // A node's network namespace goes as a whole.
  if (plan.isolated) return removeCachedResults(config.ipamDir)
  const nft = realNft({ run: runCommand })
  await removeProxyRules(nft)
  await removeNodeNetwork({
    run: runCommand,
    nft,
    config,
  })
}

/**
 * Stops a cluster and removes everything it has, also when it was made only halfway, removed only halfway, or its record is damaged. `kubeconfig` names the
 * file with its entry when that is no longer the recorded one.
 */
export async function remove(name: string, deps: Deps, kubeconfig?: string): Promise<void> {
  const record = readRecordIfSound(name) ?? (await recordFromFolders(name))
  await takeDown(record, deps)
  for (const folder of [clusterPaths(name).data, clusterPaths(name).run]) await unmountUnder(folder)
  await removeFromKubeconfig(kubeconfig ?? record.kubeconfig, contextName(name), record.previousContext)
  for (const folder of [clusterPaths(name).data, clusterPaths(name).run])
    rmSync(folder, { recursive: true, force: true })
}

function readRecordIfSound(name: string): ClusterRecord | undefined {
  try {
    return readRecord(name)
  } catch (error) {
    if (error instanceof Problem && error.code === 'KN-CONFIG-01') return undefined
    throw error
  }
}

/** What can be said of a cluster without its record: it has the usual settings, and the nodes of which there are folders. */
async function recordFromFolders(name: string): Promise<ClusterRecord> {
  const folder = clusterPaths(name).nodes
  const nodes = existsSync(folder) ? readdirSync(folder).length : 0
  const { config } = await loadConfig({ flags: { name, nodes: String(Math.max(1, nodes)) }, env: process.env })
  return {
    config,
    simulated: nodes === 0,
    advertiseAddress: '',
    kubeconfig: kubeconfigPath(undefined),
    previousContext: '',
  }
}
