import type { TestContext } from 'node:test'
import { startApiServer } from '../../apiserver/apiserver.ts'
import { configMaps, events, nodes, pods, serviceAccounts } from '../../api/generated/resources.ts'
import type { Pod, PodSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { newClient, type Client } from '../../client/client.ts'
import { SimulatedRuntime, type SimulatedRuntimeOptions } from '../../runtime/simulated/simulated-runtime.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import type { KubeletConfiguration } from '../config.ts'
import { simulatedHost } from '../host/simulated/simulated-host.ts'
import type { Host } from '../host/host.ts'
import { startKubelet, type Kubelet } from '../kubelet.ts'

/** A kubelet on a simulated machine, under a real API server, on a virtual clock. */
export interface SimulatedNode {
  readonly clock: VirtualClock
  readonly client: Client
  readonly runtime: SimulatedRuntime
  readonly kubelet: () => Kubelet
  readonly metrics: Metrics
  /** Makes a pod on the node; containers have defaults. */
  run(name: string, spec: Partial<PodSpec>): Promise<Frozen<Pod>>
  pod(name: string): Promise<Frozen<Pod> | undefined>
  /** 'Normal Started Container started' of all events about the object, in order. */
  eventsOf(name: string): Promise<string[]>
  /** A new kubelet in place of the old one: what runs goes on. */
  restartKubelet(): Promise<void>
}

/** What is special about a test's node. */
export interface SimulatedNodeOptions extends Omit<SimulatedRuntimeOptions, 'clock' | 'random'> {
  readonly config?: KubeletConfiguration
  readonly host?: Partial<Host>
}

/** Starts a node for a test, and closes it with the test. */
export async function startSimulatedNode(t: TestContext, options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const api = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    freeze: true,
    authorizationModes: ['AlwaysAllow'],
  })
  const client = newClient(api.transport({ name: 'test', groups: ['system:masters'] }))
  const runtime = new SimulatedRuntime({ ...deps, ...options })
  const host = { ...simulatedHost({ clock, hostname: 'node-1', address: '192.168.0.1' }), ...options.host }
  const start = () =>
    startKubelet({
      ...deps,
      client,
      runtime,
      host,
      nodeName: 'node-1',
      config: { clusterDomain: 'cluster.local', clusterDNS: ['10.96.0.10'], ...options.config },
    })
  await client.create(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  })
  await client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-root-ca.crt', namespace: 'default' },
    data: { 'ca.crt': '' },
  })
  let kubelet = await start()
  await clock.settle()
  await client.patch(nodes, { name: 'node-1' }, { spec: { taints: null } }, { type: 'merge' })
  t.after(async () => {
    await kubelet.close()
    await api.close()
  })
  const pod = async (name: string) =>
    (await client.list(pods, { namespace: 'default' })).items.find(({ metadata }) => metadata.name === name)
  return {
    clock,
    client,
    runtime,
    pod,
    kubelet: () => kubelet,
    metrics: deps.metrics,
    async run(name, spec) {
      const containers = (spec.containers ?? [{ name: 'main' }]).map((container) => ({
        image: 'example.test/app:1',
        ...container,
      }))
      await client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: { nodeName: 'node-1', ...spec, containers },
      })
      await clock.settle()
      return (await pod(name))!
    },
    async eventsOf(name) {
      await clock.settle()
      const found = (await client.list(events, { namespace: 'default' })).items.filter(
        ({ involvedObject }) => involvedObject.name === name,
      )
      return found.map(({ type, reason, message }) => `${type} ${reason} ${message}`)
    },
    async restartKubelet() {
      await kubelet.close()
      kubelet = await start()
      await clock.settle()
    },
  }
}
