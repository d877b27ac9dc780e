import { hostname } from 'node:os'
import { runCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import { removeNodeNetwork } from '../network/node-network.ts'
import { realNft } from '../nftables/real.ts'
import { removeProxyRules } from '../proxy/proxy.ts'
import { stopContainerd } from './containerd/containerd.ts'
import { removeFiles, stopDaemon } from './lifecycle.ts'
import { removeCgroups } from './leftovers/cgroups.ts'
import { unmountUnder } from './leftovers/mounts.ts'
import { nodeProcessFile, removeMachine } from './machine.ts'
import { cgroupOf, networkConfig } from './node.ts'
import { clusterPaths } from './paths.ts'
import { endProcess } from './process/child.ts'
import { nodePlans, readRecord, type ClusterRecord, type NodePlan } from './record.ts'
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
  // The namespace goes as a whole.
  if (plan.isolated) return
  const nft = realNft({ run: runCommand })
  await removeProxyRules(nft)
  await removeNodeNetwork({ run: runCommand, nft, config: networkConfig({ record, paths: clusterPaths(record.config.name).node(plan.name) }) })
}

/** Stops a cluster and removes everything it has, also when it was made only halfway. */
export async function remove(name: string, deps: Deps): Promise<void> {
  const record = readRecord(name)
  if (record) await takeDown(record, deps)
  for (const folder of [clusterPaths(name).data, clusterPaths(name).run]) await unmountUnder(folder)
  await removeFiles(name, record)
}

