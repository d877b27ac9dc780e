import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { settingsOf } from '../config.ts'
import { NodePressure } from '../eviction/node-pressure.ts'
import { rankForEviction } from '../eviction/rank.ts'
import { uselessOf } from '../gc/container-gc.ts'
import { simulatedHost } from '../host/simulated/simulated-host.ts'
import { mountOf } from '../host/linux/shared-mount.ts'
import { aContainer, anExited, aPod, aRunning, aSandbox, aState } from '../testing/pods.ts'
import { amountOf, cpuMillis, wholeAmount } from '../pod/amount.ts'
import { podAmounts, qosClass } from '../pod/resources.ts'
import { specHash } from '../runtime-state/spec-hash.ts'
import { allocatableOf } from './allocatable.ts'
import { nodeConditions } from './node-conditions.ts'

test('a duration that is none is said with its field', () =>
  assert.throws(() => settingsOf({ syncFrequency: '10 seconds' }), /syncFrequency: "10 seconds" is not a duration/))
test('the defaults are upstream’s', () => {
  const { maxPods, nodeStatusUpdateMs, imageGcHighPercent, containerLogMaxBytes, restartBackOffMaxMs } = settingsOf({})
  assert.deepEqual(
    [maxPods, nodeStatusUpdateMs, imageGcHighPercent, containerLogMaxBytes, restartBackOffMaxMs],
    [110, 10_000, 85, 10_485_760, 300_000],
  )
})

for (const [quantity, amount] of [
  ['1', 1],
  ['100m', 0.1],
  ['1Ki', 1024],
  ['1.5Gi', 1_610_612_736],
  ['2e3', 2000],
  ['1E', 1e18],
  ['', 0],
] as const) {
  test(`"${quantity}" is ${amount}`, () => assert.equal(amountOf(quantity), amount))
}
test('amounts are rounded up, but not for what binary fractions add', () =>
  assert.deepEqual([cpuMillis('0.1'), cpuMillis('100.5m'), wholeAmount('1.1')], [100, 101, 2]))

test('what pods may have is the capacity without what is kept back', () => {
  const settings = settingsOf({ systemReserved: { cpu: '500m', memory: '1Gi' }, kubeReserved: { cpu: '100m' } })
  assert.deepEqual(
    allocatableOf({ cpu: '4', memory: '8388608Ki', 'ephemeral-storage': '1000Ki', pods: '110' }, settings),
    { cpu: '3400m', memory: '7237632Ki', 'ephemeral-storage': '900Ki', pods: '110' },
  )
})

const calm = { memory: false, disk: false, pids: false }
test('a node is ready when its runtime and its network are', () => {
  const ready = (type: string, status: boolean) => ({ type, status, reason: 'R', message: 'M' })
  const conditionOf = (network: boolean) =>
    nodeConditions(
      {
        pressures: calm,
        runtime: { conditions: [ready('RuntimeReady', true), ready('NetworkReady', network)] },
        runtimeFault: '',
        nowText: 't1',
      },
      [{ type: 'Ready', status: 'True', lastTransitionTime: 't0' }],
    ).at(-1)
  assert.deepEqual([conditionOf(true)?.reason, conditionOf(true)?.lastTransitionTime], ['KubeletReady', 't0'])
  assert.deepEqual(
    [conditionOf(false)?.message, conditionOf(false)?.lastTransitionTime],
    ['container runtime network not ready: NetworkReady=false reason:R message:M', 't1'],
  )
})

test('pressure begins at once and ends late', async () => {
  const clock = new VirtualClock()
  const host = simulatedHost({ clock, hostname: 'n', address: '' })
  let available = 50 * 2 ** 20
  const machine = {
    ...host.machine,
    usage: async () => ({ ...(await host.machine.usage()), memoryAvailableBytes: available }),
  }
  const pressure = new NodePressure({ clock, settings: settingsOf({}), machine })
  assert.deepEqual(
    (await pressure.observe()).map(({ signal }) => signal),
    ['memory.available'],
  )
  assert.deepEqual(pressure.conditions(), { memory: true, disk: false, pids: false })
  available = 2 ** 30
  assert.deepEqual(await pressure.observe(), [])
  assert.ok(pressure.conditions().memory)
  await clock.advance(300_000)
  assert.ok(!pressure.conditions().memory)
})

test('who uses more than it asked for goes first, then who matters less', () => {
  const named = (name: string, memory: string, priority = 0) =>
    aPod({ priority, containers: [aContainer('c', { resources: { requests: { memory } } })] }, { name })
  const ranked = rankForEviction(
    [
      { pod: named('modest', '100'), used: 50 },
      { pod: named('greedy', '10'), used: 50 },
      { pod: named('important', '10', 5), used: 90 },
      { pod: named('critical', '0', 2_000_000_000), used: 99 },
    ],
    'memory',
  )
  assert.deepEqual(
    ranked.map(({ pod }) => pod.metadata.name),
    ['greedy', 'important', 'modest'],
  )
})

test('of each container the newest and one ended before it are kept', () => {
  const state = aState(
    [
      aRunning('main', { id: 'c3' }),
      anExited('main', 1, { id: 'c2' }),
      anExited('main', 1, { id: 'c1', sandboxId: 's-old' }),
    ],
    [aSandbox({ id: 's0' }), aSandbox({ id: 's-old', ready: false })],
  )
  assert.deepEqual(uselessOf(state), { containers: ['c1'], sandboxes: ['s-old'] })
})

for (const [name, resources, want] of [
  ['asks for nothing', {}, 'BestEffort'],
  ['has limits for all', { limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  [
    'asks for less than its limit',
    { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    'Burstable',
  ],
  ['asks for some', { requests: { cpu: '1' } }, 'Burstable'],
] as const) {
  test(`a pod that ${name} is ${want}`, () =>
    assert.equal(qosClass(aPod({ containers: [aContainer('c', { resources })] })), want))
}

test('a pod asks for its containers and sidecars together, or for its largest init container', () => {
  const cpu = (amount: string) => ({ resources: { requests: { cpu: amount } } })
  const sidecar = aContainer('side', { restartPolicy: 'Always', ...cpu('200m') })
  assert.equal(
    podAmounts(
      aPod({ initContainers: [aContainer('i', cpu('500m')), sidecar], containers: [aContainer('c', cpu('1'))] }),
      'requests',
    )['cpu'],
    1200,
  )
  assert.equal(
    podAmounts(
      aPod({
        initContainers: [sidecar, aContainer('i', cpu('3'))],
        containers: [aContainer('c', cpu('1'))],
        overhead: { cpu: '50m' },
      }),
      'requests',
    )['cpu'],
    3250,
  )
})

test('the hash of a container is upstream’s', () =>
  assert.equal(specHash({ name: 'web', image: 'nginx:1' }), '855627a5'))

test('the mount of a folder is the nearest one above it', () => {
  const info = '1 0 8:1 / / rw - ext4 x rw\n2 1 8:2 / /var rw shared:5 - ext4 x rw\n3 1 8:3 / /va rw - ext4 x rw\n'
  assert.deepEqual(mountOf('/var/lib/kubelet', info), { path: '/var', shared: true })
  assert.deepEqual(mountOf('/vax', info), { path: '/', shared: false })
})
