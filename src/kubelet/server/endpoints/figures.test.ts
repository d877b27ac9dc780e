import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import test, { type TestContext } from 'node:test'
import { silentLogger } from '../../../base/log.ts'
import { Metrics } from '../../../base/metrics.ts'
import { seededRandom } from '../../../base/random.ts'
import type { SimulatedUsage } from '../../../runtime/simulated/simulated-runtime.ts'
import { noPodCgroups } from '../../cgroups/pod-cgroups.ts'
import type { CgroupUsage } from '../../host/host.ts'
import { containerNameLabel } from '../../runtime-state/labels.ts'
import { startSimulatedNode } from '../../testing/simulated-node.ts'
import type { Endpoint } from '../request.ts'
import { cadvisorMetrics, probeMetrics, resourceMetrics } from './metrics.ts'
import { statsSummary } from './stats-summary.ts'
import { measured } from './usage.ts'

const MiB = 2 ** 20
const cgroup = (cpuNanos: number, mebibytes: number): CgroupUsage => ({
  cpuNanos,
  memoryBytes: mebibytes * MiB,
  workingSetBytes: (mebibytes - 1) * MiB,
  rssBytes: (mebibytes - 2) * MiB,
  pids: 7,
})

interface Wanted {
  /** By container. */
  readonly usage?: Readonly<Record<string, SimulatedUsage>>
  /** What cgroups say; absent: there are none. */
  readonly cgroups?: { readonly pod: CgroupUsage; readonly node: CgroupUsage }
}

/** A node, and what its kubelet answers there. */
async function start(t: TestContext, { usage = {}, cgroups }: Wanted) {
  const node = await startSimulatedNode(t, {
    usage: ({ [containerNameLabel]: name = '' }) => usage[name],
    host: {
      cgroups: {
        ...noPodCgroups,
        podUsage: async () => cgroups?.pod,
        nodeUsage: async () => cgroups?.node,
      },
    },
  })
  const closing = new AbortController().signal
  const metrics = new Metrics()
  const ask = async (endpoint: Endpoint, query = '') => {
    const answer = await endpoint({
      method: 'GET',
      url: new URL(`https://kubelet/${query}`),
      params: {},
      message: {} as IncomingMessage, // None of these endpoints looks at it.
      upgrade: undefined,
      signal: closing,
      server: {
        kubelet: node.kubelet(),
        runtime: node.runtime,
        client: node.client,
        clock: node.clock,
        random: seededRandom(1),
        log: silentLogger,
        metrics,
        closing,
      },
    })
    assert.ok(answer !== 'taken' && typeof answer.body === 'string')
    return answer.body
  }
  return { ...node, ask, metrics }
}

const using = (cpuNanos: number, mebibytes: number): SimulatedUsage => ({
  cpuNanos,
  memoryBytes: mebibytes * MiB,
  layerBytes: 4096,
  layerInodes: 3,
})
const both = { usage: { main: using(2e9, 10), side: using(1e9, 5) } }
const two = { containers: [{ name: 'main' }, { name: 'side' }] }

/** The samples of a family, without their time. */
const samples = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).replace(/^(\{.*\}|) (\S+).*$/, '$1 $2'))

test('/metrics/resource tells what containers, pods and the node use, by their cgroups', async (t) => {
  const node = await start(t, { ...both, cgroups: { pod: cgroup(4e9, 20), node: cgroup(90e9, 900) } })
  await node.run('web', two)
  const text = await node.ask(resourceMetrics)
  const main = 'container="main",namespace="default",pod="web"'
  const side = 'container="side",namespace="default",pod="web"'
  assert.deepEqual(samples(text, 'container_cpu_usage_seconds_total'), [`{${main}} 2`, `{${side}} 1`])
  assert.deepEqual(samples(text, 'container_memory_working_set_bytes'), [
    `{${main}} ${10 * MiB}`,
    `{${side}} ${5 * MiB}`,
  ])
  assert.deepEqual(samples(text, 'pod_cpu_usage_seconds_total'), ['{namespace="default",pod="web"} 4'])
  assert.deepEqual(samples(text, 'pod_memory_working_set_bytes'), [`{namespace="default",pod="web"} ${19 * MiB}`])
  assert.deepEqual(samples(text, 'node_cpu_usage_seconds_total'), [' 90'])
  assert.deepEqual(samples(text, 'node_memory_working_set_bytes'), [` ${899 * MiB}`])
  assert.deepEqual(samples(text, 'resource_scrape_error'), [' 0'])
  assert.match(text, /^# TYPE container_cpu_usage_seconds_total counter$/m)
})

test('without cgroups a pod uses what its containers do, and nothing is made up for the node', async (t) => {
  const node = await start(t, both)
  await node.run('web', two)
  const text = await node.ask(resourceMetrics)
  assert.deepEqual(samples(text, 'pod_cpu_usage_seconds_total'), ['{namespace="default",pod="web"} 3'])
  assert.deepEqual(samples(text, 'pod_memory_working_set_bytes'), [`{namespace="default",pod="web"} ${15 * MiB}`])
  assert.deepEqual(samples(text, 'node_cpu_usage_seconds_total'), [])
})

test('pods that have ended use nothing', async (t) => {
  const node = await start(t, both)
  await node.run('done', { restartPolicy: 'Never', containers: [{ name: 'main', command: ['sh', '-c', 'exit 0'] }] })
  await node.clock.advance(1000)
  assert.equal((await node.pod('done'))?.status?.phase, 'Succeeded')
  assert.deepEqual(samples(await node.ask(resourceMetrics), 'pod_cpu_usage_seconds_total'), [])
})

test('a runtime that does not answer makes a scrape error, not a failed request', async (t) => {
  const node = await start(t, both)
  node.runtime.containerStats = () => Promise.reject(new Error('the runtime is down'))
  assert.deepEqual(samples(await node.ask(resourceMetrics), 'resource_scrape_error'), [' 1'])
})

test('/metrics/cadvisor names containers by their ids, and the machine by the root', async (t) => {
  const node = await start(t, { ...both, cgroups: { pod: cgroup(4e9, 20), node: cgroup(90e9, 900) } })
  const pod = await node.run('web', two)
  const id = pod.status?.containerStatuses?.find(({ name }) => name === 'main')?.containerID?.replace(/^.*:\/\//, '')
  const [root, main] = samples(await node.ask(cadvisorMetrics), 'container_cpu_usage_seconds_total')
  assert.match(root!, /id="\/",.*cpu="total"\} 90$/)
  assert.equal(
    main,
    `{container="main",id="/kubepods/pod${pod.metadata.uid}/${id}",image="example.test/app:1",name="${id}",namespace="default",pod="web",cpu="total"} 2`,
  )
})

test('/metrics/probes tells of probes and of nothing else', async (t) => {
  const node = await start(t, {})
  node.metrics.counter('prober_probe_total', 'Probes.').add({ result: 'successful' })
  node.metrics.counter('kubelet_other_total', 'Others.').add({})
  const text = await node.ask(probeMetrics)
  assert.match(text, /prober_probe_total\{result="successful"\} 1/)
  assert.doesNotMatch(text, /kubelet_other_total/)
})

interface Summary {
  readonly node: {
    readonly nodeName: string
    readonly cpu?: object
    readonly memory?: object
    readonly rlimit?: object
  }
  readonly pods: readonly {
    readonly podRef: object
    readonly cpu: { readonly usageNanoCores?: number; readonly usageCoreNanoSeconds: number }
    readonly memory: { readonly workingSetBytes: number; readonly rssBytes: number }
    readonly process_stats?: object
    readonly containers: readonly { readonly name: string; readonly rootfs?: { readonly usedBytes: number } }[]
  }[]
}

test('/stats/summary has node, pods and containers, with a rate once there are two readings', async (t) => {
  const usage = { main: using(2e9, 10), side: using(1e9, 5) }
  const node = await start(t, { usage })
  const pod = await node.run('web', two)
  const read = async (query = '') => JSON.parse(await node.ask(statsSummary, query)) as Summary
  const first = await read()
  assert.equal(first.node.nodeName, 'node-1')
  assert.ok(first.node.rlimit && !first.node.cpu, 'the machine’s limits are known, its cgroup is not')
  const { podRef, cpu, memory, containers } = first.pods[0]!
  assert.deepEqual(podRef, { name: 'web', namespace: 'default', uid: pod.metadata.uid })
  assert.deepEqual([cpu.usageCoreNanoSeconds, cpu.usageNanoCores], [3e9, undefined])
  assert.equal(memory.workingSetBytes, 15 * MiB)
  assert.deepEqual(
    containers.map(({ name, rootfs }) => [name, rootfs?.usedBytes]),
    [
      ['main', 4096],
      ['side', 4096],
    ],
  )
  await node.clock.advance(10_000)
  usage.main = using(4e9, 10)
  assert.equal((await read()).pods[0]!.cpu.usageNanoCores, 2e8)
  assert.equal((await read('?only_cpu_and_memory=true')).pods[0]!.containers[0]!.rootfs, undefined)
})

test('/stats/summary of a pod with a cgroup counts its processes', async (t) => {
  const node = await start(t, { ...both, cgroups: { pod: cgroup(4e9, 20), node: cgroup(90e9, 900) } })
  await node.run('web', two)
  const { node: whole, pods } = JSON.parse(await node.ask(statsSummary)) as Summary
  assert.deepEqual(pods[0]!.process_stats, { process_count: 7 })
  assert.equal(pods[0]!.memory.rssBytes, 18 * MiB)
  assert.equal((whole.memory as { usageBytes: number }).usageBytes, 900 * MiB)
})

test('earlier lives of a container, and one that does not run, are not told of', () => {
  const life = (name: string, attempt: number, cpuNanos?: number) => ({
    attributes: { id: `${name}-${attempt}`, metadata: { name, attempt }, labels: {}, annotations: {} },
    ...(cpuNanos !== undefined && { cpu: { timestamp: 1, usageCoreNanoSeconds: { value: cpuNanos } } }),
    writableLayer: { timestamp: 1, mountpoint: '', usedBytes: { value: 4096 } },
  })
  const found = measured([
    life('main', 2, 5),
    life('main', 0),
    life('main', 1, 9),
    life('crashed', 0),
    life('crashed', 1),
  ])
  assert.deepEqual(
    found.map(({ attributes }) => attributes?.id),
    ['main-2'],
  )
})
