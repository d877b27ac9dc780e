import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { events, nodes, priorityClasses } from '../../api/generated/resources.ts'
import { VirtualClock } from '../../base/clock.ts'
import type { KubeletConfiguration } from '../config.ts'
import type { CgroupUsage, FileUse, MachineUsage } from '../host/host.ts'
import { simulatedHost } from '../host/simulated/simulated-host.ts'
import { podUidLabel } from '../runtime-state/labels.ts'
import { aContainer, aPod } from '../testing/pods.ts'
import { startSimulatedNode } from '../testing/simulated-node.ts'
import { rankForEviction } from './rank.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30

/** A node on a machine that can run short of things; what pods use is said by name. */
async function start(t: TestContext, config: KubeletConfiguration = {}) {
  const plain = simulatedHost({ clock: new VirtualClock(), hostname: 'node-1', address: '192.168.0.1' })
  const full = { capacityBytes: 100 * GiB, availableBytes: 90 * GiB, inodes: 1000, inodesFree: 900 }
  const machine: { -readonly [Key in keyof MachineUsage]: MachineUsage[Key] } = {
    memoryAvailableBytes: 8 * GiB,
    memoryCapacityBytes: 16 * GiB,
    nodefs: full,
    imagefs: undefined,
    separateImagefs: false,
    pidsAvailable: 1000,
    pidsMax: 32_768,
  }
  const memoryByPod = new Map<string, number>()
  const diskByPath = new Map<string, FileUse>()
  const layerByPod = new Map<string, number>()
  const uids = new Map<string, string>()
  const usageOf = (uid: string): CgroupUsage => {
    const workingSetBytes = memoryByPod.get(uids.get(uid) ?? '') ?? 0
    return { cpuNanos: 0, memoryBytes: workingSetBytes, workingSetBytes, rssBytes: workingSetBytes, pids: 1 }
  }
  const node = await startSimulatedNode(t, {
    config,
    usage: ({ [podUidLabel]: uid = '' }) => ({
      cpuNanos: 0,
      memoryBytes: usageOf(uid).workingSetBytes,
      layerBytes: layerByPod.get(uids.get(uid) ?? '') ?? 0,
      layerInodes: 1,
    }),
    host: {
      needsUpkeep: true,
      machine: { ...plain.machine, usage: async () => machine },
      files: { ...plain.files, diskUsage: async (path) => diskByPath.get(path) ?? { bytes: 0, inodes: 0 } },
      cgroups: { ...plain.cgroups, podUsage: async (uid) => usageOf(uid) },
    },
  })
  const run = async (name: string, spec: Parameters<typeof node.run>[1], memoryBytes = 0) => {
    const pod = await node.run(name, spec)
    uids.set(pod.metadata.uid ?? '', name)
    memoryByPod.set(name, memoryBytes)
    return pod
  }
  /** 'Failed Evicted', or 'Running '. */
  const state = async (name: string) => {
    const { phase, reason = '' } = (await node.pod(name))?.status ?? {}
    return `${phase} ${reason}`
  }
  const condition = async (type: string) =>
    (await node.client.get(nodes, { name: 'node-1' })).status?.conditions?.find((one) => one.type === type)?.status
  const told = async () => {
    const { items } = await node.client.list(events)
    return items.filter(({ reason }) => reason === 'EvictionThresholdMet').map(({ message }) => message)
  }
  /** A pod's log takes so much. */
  const logs = (pod: Awaited<ReturnType<typeof run>>, bytes: number, inodes = 1) =>
    diskByPath.set(`/var/log/pods/default_${pod.metadata.name}_${pod.metadata.uid}/main`, { bytes, inodes })
  return { ...node, run, machine, full, diskByPath, layerByPod, logs, state, condition, told }
}

const asking = (memory: string) => ({ containers: [{ name: 'main', resources: { requests: { memory } } }] })

test('when memory is short, the pod that uses more than it asked for goes, one at a time, and says why', async (t) => {
  const node = await start(t)
  await node.run('modest', asking('1Gi'), GiB / 2)
  await node.run('greedy', asking('1Gi'), 3 * GiB)
  await node.run('greedier', asking('1Gi'), 5 * GiB)
  node.machine.memoryAvailableBytes = 50 * MiB
  await node.clock.advance(10_000)
  assert.deepEqual(await Promise.all(['modest', 'greedy', 'greedier'].map(node.state)), [
    'Running ',
    'Running ',
    'Failed Evicted',
  ])
  const { status } = (await node.pod('greedier'))!
  assert.equal(
    status?.message,
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 5Gi, request is 1Gi, has larger consumption of memory. ',
  )
  const disrupted = status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.deepEqual([disrupted?.status, disrupted?.reason], ['True', 'TerminationByKubelet'])
  assert.deepEqual(await node.told(), ['Attempting to reclaim memory'])
  assert.match(node.metrics.text(), /^kubelet_evictions\{eviction_signal="memory\.available"\} 1$/m)
  node.machine.memoryAvailableBytes = 4 * GiB
  await node.clock.advance(60_000)
  assert.equal(await node.state('greedy'), 'Running ')
})

test('pressure shows on the node at once, and for five minutes after it has gone', async (t) => {
  const node = await start(t)
  assert.equal(await node.condition('MemoryPressure'), 'False')
  node.machine.memoryAvailableBytes = 50 * MiB
  await node.clock.advance(20_000)
  assert.equal(await node.condition('MemoryPressure'), 'True')
  node.machine.memoryAvailableBytes = 8 * GiB
  await node.clock.advance(4 * 60_000)
  assert.equal(await node.condition('MemoryPressure'), 'True')
  await node.clock.advance(2 * 60_000)
  assert.equal(await node.condition('MemoryPressure'), 'False')
})

test('under pressure the node takes no pod that asks for nothing', async (t) => {
  const node = await start(t)
  node.machine.memoryAvailableBytes = 50 * MiB
  await node.clock.advance(20_000)
  await node.run('nothing', { containers: [{ name: 'main' }] })
  await node.run('something', asking('1Gi'))
  assert.equal(await node.state('nothing'), 'Failed Evicted')
  assert.equal(
    (await node.pod('nothing'))?.status?.message,
    'Pod was rejected: The node had condition: [MemoryPressure]. ',
  )
  assert.equal(await node.state('something'), 'Running ')
})

test('a soft threshold evicts only when it was passed for its grace, without a break', async (t) => {
  const node = await start(t, {
    evictionSoft: { 'memory.available': '10%' },
    evictionSoftGracePeriod: { 'memory.available': '1m' },
  })
  await node.run('web', asking('1Gi'), 3 * GiB)
  node.machine.memoryAvailableBytes = GiB
  await node.clock.advance(50_000)
  node.machine.memoryAvailableBytes = 8 * GiB
  await node.clock.advance(10_000)
  node.machine.memoryAvailableBytes = GiB
  await node.clock.advance(50_000)
  assert.equal(await node.state('web'), 'Running ')
  await node.clock.advance(30_000)
  assert.equal(await node.state('web'), 'Failed Evicted')
})

test('a full disk frees images that nobody uses before it drives a pod away', async (t) => {
  const node = await start(t)
  await node.runtime.pullImage({ image: 'example.test/old:1' })
  await node.run('web', { containers: [{ name: 'main' }] })
  await node.clock.advance(300_000)
  const images = async () => (await node.runtime.listImages()).flatMap(({ repoTags }) => repoTags).sort()
  assert.ok((await images()).includes('example.test/old:1'))
  await node.clock.advance(150_000)
  node.machine.nodefs = { ...node.full, availableBytes: 5 * GiB }
  await node.clock.advance(10_000)
  assert.deepEqual(await images(), ['example.test/app:1'])
  assert.equal(await node.state('web'), 'Running ')
  await node.clock.advance(20_000)
  assert.equal(await node.state('web'), 'Failed Evicted')
})

test('an image that was first seen less than two minutes ago is not taken for unused', async (t) => {
  const node = await start(t)
  await node.runtime.pullImage({ image: 'example.test/fresh:1' })
  node.machine.nodefs = { ...node.full, availableBytes: 5 * GiB }
  await node.clock.advance(60_000)
  assert.equal((await node.runtime.listImages()).length, 1)
  await node.clock.advance(120_000)
  assert.deepEqual(await node.runtime.listImages(), [])
})

test('a pod whose emptyDir or files outgrow their limit is evicted', async (t) => {
  const node = await start(t)
  const volumes = (sizeLimit?: string) => [{ name: 'scratch', emptyDir: sizeLimit ? { sizeLimit } : {} }]
  const containers = [{ name: 'main', volumeMounts: [{ name: 'scratch', mountPath: '/s' }] }]
  await node.run('free', { containers, volumes: volumes() })
  await node.run('bound', { containers, volumes: volumes('1Gi') })
  const limited = { name: 'main', resources: { limits: { 'ephemeral-storage': '2Gi' } } }
  const noisy = await node.run('noisy', { containers: [limited] })
  const pair = await node.run('pair', { containers: [limited, { ...limited, name: 'other' }] })
  node.diskByPath.set('/simulated/scratch', { bytes: 2 * GiB, inodes: 1 })
  node.logs(noisy, 3 * GiB)
  node.logs(pair, 3 * GiB)
  await node.clock.advance(10_000)
  assert.equal(await node.state('free'), 'Running ')
  assert.equal(
    (await node.pod('bound'))?.status?.message,
    'Usage of EmptyDir volume "scratch" exceeds the limit "1Gi". ',
  )
  assert.equal(
    (await node.pod('noisy'))?.status?.message,
    'Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. ',
  )
  assert.equal(
    (await node.pod('pair'))?.status?.message,
    'Container main exceeded its local ephemeral storage limit "2Gi". ',
  )
  for (const signal of ['emptydirfs', 'ephemeralpodfs', 'ephemeralcontainerfs'])
    assert.match(node.metrics.text(), new RegExp(`^kubelet_evictions.*"${signal}.limit".* 1$`, 'm'))
})

const onDisk = (priority = 0, request = '0') => ({
  containers: [{ name: 'main', resources: { requests: { 'ephemeral-storage': request } } }],
  ...(priority > 0 && { priorityClassName: `p${priority}` }),
})

test('when the disk is short, the pod goes that exceeds what it asked for, then who matters less, then who exceeds it by more', async (t) => {
  const node = await start(t)
  await node.client.create(priorityClasses, { metadata: { name: 'p5' }, value: 5 })
  const [modest, weighty, small, large] = [
    await node.run('modest', onDisk(0, '9Gi')),
    await node.run('weighty', onDisk(5)),
    await node.run('small', onDisk()),
    await node.run('large', onDisk(0, '1Gi')),
  ]
  for (const [pod, bytes] of [
    [modest, 8],
    [weighty, 9],
    [small, 1],
    [large, 2],
  ] as const)
    node.logs(pod, bytes * GiB)
  node.layerByPod.set('large', GiB)
  node.machine.nodefs = { ...node.full, availableBytes: 5 * GiB }
  const gone: string[] = []
  for (let turn = 0; turn < 4; turn++) {
    await node.clock.advance(10_000)
    for (const name of ['modest', 'weighty', 'small', 'large'])
      if ((await node.state(name)) === 'Failed Evicted' && !gone.includes(name)) gone.push(name)
  }
  assert.deepEqual(gone, ['large', 'small', 'weighty', 'modest'])
  assert.equal(
    (await node.pod('large'))?.status?.message,
    'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 5Gi. Container main was using 3Gi, request is 1Gi, has larger consumption of ephemeral-storage. ',
  )
})

test('only what lies on the disk that is short counts', async (t) => {
  const node = await start(t)
  const logger = await node.run('logger', onDisk())
  await node.run('writer', onDisk())
  node.logs(logger, GiB)
  node.layerByPod.set('writer', 5 * GiB)
  Object.assign(node.machine, { separateImagefs: true, imagefs: node.full })
  node.machine.nodefs = { ...node.full, availableBytes: 5 * GiB }
  await node.clock.advance(10_000)
  assert.deepEqual([await node.state('logger'), await node.state('writer')], ['Failed Evicted', 'Running '])
})

test('when inodes are short, the pod with the most files goes', async (t) => {
  const node = await start(t)
  node.logs(await node.run('few', onDisk()), 9 * GiB, 2)
  node.logs(await node.run('many', onDisk()), 1, 900)
  node.machine.nodefs = { ...node.full, inodesFree: 10 }
  await node.clock.advance(10_000)
  assert.deepEqual([await node.state('few'), await node.state('many')], ['Running ', 'Failed Evicted'])
  assert.equal(
    (await node.pod('many'))?.status?.message,
    'The node was low on resource: inodes. Threshold quantity: 50, available: 10. ',
  )
})

test('once it was short, as much is freed as the configuration says', async (t) => {
  const node = await start(t, { evictionMinimumReclaim: { 'memory.available': '1Gi' } })
  for (const name of ['first', 'second', 'third']) await node.run(name, asking('1Gi'), 3 * GiB)
  node.machine.memoryAvailableBytes = 200 * MiB
  await node.clock.advance(20_000)
  const left = async () =>
    (await Promise.all(['first', 'second', 'third'].map(node.state))).filter((state) => state === 'Running ').length
  assert.equal(await left(), 3)
  node.machine.memoryAvailableBytes = 50 * MiB
  await node.clock.advance(10_000)
  node.machine.memoryAvailableBytes = GiB
  await node.clock.advance(10_000)
  assert.equal(await left(), 1)
  node.machine.memoryAvailableBytes = 2 * GiB
  await node.clock.advance(30_000)
  assert.equal(await left(), 1)
})

const using = (name: string, used: number, priority = 0, memory = '1Gi') => ({
  used,
  pod: aPod({ priority, containers: [aContainer('main', { resources: { requests: { memory } } })] }, { name }),
})

for (const [name, candidates, want] of [
  ['who uses more than it asked for goes before who does not', [using('a', GiB / 2), using('b', 2 * GiB, 10)], 'b,a'],
  ['then lower priority', [using('a', 2 * GiB, 10), using('b', 2 * GiB, 5)], 'b,a'],
  ['then who exceeds its request by more', [using('a', 2 * GiB), using('b', 3 * GiB)], 'b,a'],
  ['critical pods never go', [using('a', 9 * GiB, 2_000_000_000), using('b', 0)], 'b'],
] as const)
  test(`the order of eviction: ${name}`, () =>
    assert.equal(
      rankForEviction(candidates, 'memory')
        .map(({ pod }) => pod.metadata.name)
        .join(),
      want,
    ))

test('a critical pod stays when it is the only one', async (t) => {
  const node = await start(t)
  await node.client.create(priorityClasses, { metadata: { name: 'vital' }, value: 1_000_000_000 })
  await node.run('system', { ...asking('1Mi'), priorityClassName: 'system-node-critical' }, 9 * GiB)
  node.machine.memoryAvailableBytes = 50 * MiB
  await node.clock.advance(60_000)
  assert.equal(await node.state('system'), 'Running ')
})
