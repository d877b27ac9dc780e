import { join } from 'node:path'
import type { RunCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import { Metrics } from '../base/metrics.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import { startKubelet, type Kubelet } from '../kubelet/kubelet.ts'
import { startKubeletServer, type KubeletServer } from '../kubelet/server/kubelet-server.ts'
import { startNodeNetwork } from '../network/node-network.ts'
import { realNft } from '../nftables/real.ts'
import { startProxy } from '../proxy/proxy.ts'
import { connectCri } from '../runtime/cri/cri-runtime.ts'
import type { ContainerRuntime } from '../runtime/runtime.ts'
import { ensureContainerd, keepContainerd } from './containerd/containerd.ts'
import { ensureFolder } from './files.ts'
import type { NodePaths } from './paths.ts'
import type { KeyPair } from './pki/certificate.ts'
import { addressIn, type ClusterRecord, type NodePlan } from './record.ts'

/** What a node with real containers is made from. */
export interface NodeOptions extends Deps {
  readonly record: ClusterRecord
  readonly plan: NodePlan
  readonly client: Client
  readonly proxyClient: Client
  /** What the kubelet's server proves itself with, and whose client certificates it takes. */
  readonly serving: KeyPair
  readonly clientCa: string
  readonly paths: NodePaths
  readonly run: RunCommand
}

/** A node that runs. */
export interface RunningNode extends Pick<KubeletServer, 'setServing'> {
  close(): Promise<void>
}

/** Where the kubelet's HTTPS server listens, as upstream's. */
const kubeletPort = 10_250

/** Starts a node in this process' network namespace: containerd, pod network, kubelet and service proxy. What runs already is adopted. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { record, plan, paths, run, proxyClient, clock, random, log, metrics } = options
  const deps: Deps = { clock, random, log, metrics }
  const { config } = record
  for (const folder of [paths.kubelet, paths.podLogs, paths.containerLogs]) ensureFolder(folder)
  await ensureContainerd({ ...deps, paths })
  const leaveContainerd = keepContainerd({ ...deps, paths })
  const runtime = await connectWhenReady(paths.containerdSocket, deps)
  const informers = new Informers({ deps, client: proxyClient })
  const nft = realNft({ run })
  const component = (name: string) => ({ ...deps, log: deps.log.child({ component: name, node: plan.name }) })
  const network = await startNodeNetwork({
    ...component('network'),
    client: proxyClient,
    informers,
    nodeName: plan.name,
    run,
    nft,
    config: networkConfig(options),
  })
  const { kubelet, server } = await startKubeletAndServer(options, runtime)
  const proxy = await startProxy({
    ...component('proxy'),
    client: proxyClient,
    informers,
    nodeName: plan.name,
    nft,
    run,
    config: { clusterCidrs: [config.podCIDR], serviceCidrs: [config.serviceCIDR] },
    // Ranges that are added later: what is sent to an address there that no Service has is refused too.
    followServiceCidrs: true,
    // Upstream's ports: load balancers ask the first, Prometheus the second.
    healthListen: { host: '0.0.0.0', port: 10_256 },
    metricsListen: { host: '127.0.0.1', port: 10_249 },
  })
  return {
    setServing: (pair) => server.setServing(pair),
    async close() {
      await proxy.close()
      await server.close()
      await kubelet.close()
      await network.close()
      await informers.close()
      await runtime.close()
      leaveContainerd()
    },
  }
}

async function startKubeletAndServer(
  { record: { config }, plan, client, paths, serving, clientCa, clock, random, log }: NodeOptions,
  runtime: ContainerRuntime,
): Promise<{ kubelet: Kubelet; server: KubeletServer }> {
  const kubeletConfig = {
    clusterDomain: config.clusterDomain,
    clusterDNS: [addressIn(config.serviceCIDR, 10)],
    podLogsDir: paths.podLogs,
    cgroupRoot: cgroupOf(config.name, plan.name),
    staticPodPath: join(paths.data, 'manifests'),
  }
  // Metrics of its own: what the kubelet's port tells is the node's, not the process'.
  const deps: Deps = { clock, random, log, metrics: new Metrics() }
  const kubelet = await startKubelet({
    ...deps,
    client,
    runtime,
    nodeName: plan.name,
    rootDir: paths.kubelet,
    containerLogsDir: paths.containerLogs,
    nodeIps: [plan.address!],
    config: kubeletConfig,
  })
  const server = await startKubeletServer({
    ...deps,
    kubelet,
    runtime,
    client,
    host: plan.address!,
    port: kubeletPort,
    serving,
    clientCa,
    config: kubeletConfig,
  })
  return { kubelet, server }
}

/** containerd's CRI plugin is tried again this often, for this long: its socket answers a moment before the plugin does. */
const criRetryMs = 20
const criTimeoutMs = 30_000

async function connectWhenReady(socket: string, deps: Deps): Promise<ContainerRuntime> {
  const untilMs = deps.clock.now() + criTimeoutMs
  for (;;) {
    try {
      return await connectCri({ ...deps, socket })
    } catch (error) {
      if (deps.clock.now() > untilMs) throw error
    }
    await deps.clock.sleep(criRetryMs)
  }
}

/** How a node's Pods are connected. */
export const networkConfig = ({ record, paths }: Pick<NodeOptions, 'record' | 'paths'>) => ({
  clusterCidrs: [record.config.podCIDR],
  serviceCidrs: [record.config.serviceCIDR],
  cniConfigDir: paths.cniConfig,
  ipamDir: paths.cniState,
})

/** The cgroup below which a node's Pods are. */
export const cgroupOf = (cluster: string, node?: string): string => `/kubernode-${cluster}${node ? `/${node}` : ''}`
