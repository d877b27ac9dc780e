import type { LocalKubelet } from '../apiserver/options.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import { simulatedHost } from '../kubelet/host/simulated/simulated-host.ts'
import { startKubelet } from '../kubelet/kubelet.ts'
import { localLogs } from '../kubelet/server/local-logs.ts'
import { PodsByNode } from '../kubelet/sources/pod-source.ts'
import { SharedObjects } from '../kubelet/sources/shared-objects.ts'
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import type { SimulatedNode } from './simulated-node.ts'

/** Nodes that run no containers. */
export interface SimulatedNodesOptions extends Deps {
  /** Who each node is towards the API server. */
  readonly clientFor: (name: string) => Client
  /** Sees all Pods: the nodes share one watch. */
  readonly client: Client
  readonly names: readonly string[]
  /** Each node's kubelet is put here, for an API server that is in the same process: nobody can connect to a simulated node. */
  readonly locals?: Map<string, LocalKubelet>
  /** The cluster's informers, when there are some to share. */
  readonly informers?: Informers
}

/** Simulated nodes that run. */
export interface SimulatedNodes {
  readonly nodes: readonly SimulatedNode[]
  close(): Promise<void>
}

/** The addresses of simulated nodes: nobody ever connects to them. */
const addressOf = (index: number) => `172.16.${Math.floor(index / 250)}.${(index % 250) + 1}`

/** Starts simulated nodes: the same kubelet as on real ones, on a machine and a runtime that run nothing. */
export async function startSimulatedNodes({
  clientFor,
  client,
  names,
  informers: shared,
  locals,
  ...deps
}: SimulatedNodesOptions): Promise<SimulatedNodes> {
  const informers = shared ?? new Informers({ deps, client })
  const source = new PodsByNode(informers)
  const objects = new SharedObjects(informers)
  const nodes: SimulatedNode[] = []
  for (const [index, name] of names.entries()) {
    const runtime = new SimulatedRuntime({
      clock: deps.clock,
      random: deps.random,
      podCidr: `10.${128 + Math.floor(index / 256)}.${index % 256}.0/24`,
    })
    const host = simulatedHost({ clock: deps.clock, hostname: name, address: addressOf(index) })
    const kubelet = await startKubelet({
      ...deps,
      client: clientFor(name),
      runtime,
      host,
      informers,
      nodeName: name,
      pods: source.of(name),
      objects,
    })
    locals?.set(name, localLogs({ kubelet, runtime, clock: deps.clock }))
    nodes.push({ name, runtime, stop: () => kubelet.close() })
  }
  return {
    nodes,
    async close() {
      for (const node of nodes) await node.stop()
      if (!shared) await informers.close()
    },
  }
}
