/** The scheduler on an API server in memory: what it writes. Which node it chooses is tested beside the plugins. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  events,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  priorityClasses,
  storageClasses,
} from '../api/generated/resources.ts'
import type { PersistentVolumeClaim, Pod } from '../api/generated/types/core-v1.ts'
import type { Frozen } from '../api/resource.ts'
import { VirtualClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { seededRandom } from '../base/random.ts'
import { startTestApi } from '../../test/api.ts'
import { startScheduler, type Scheduler } from './scheduler.ts'
import { aNode, aPod, type NodeWishes } from './testing/world.ts'

/** A scheduler that works, and the parts that a test plays itself: kubelets, the volume controller, provisioners. */
async function start(t: TestContext, wishes: Readonly<Record<string, NodeWishes>> = { a: {} }) {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const api = await startTestApi(deps, {
    disableAdmissionPlugins: ['ServiceAccount', 'TaintNodesByCondition', 'StorageObjectInUseProtection'],
  })
  const { client } = api
  await client.create(namespaces, { metadata: { name: 'shop' } })
  for (const [name, wish] of Object.entries(wishes)) {
    const node = aNode(name, wish)
    await client.updateStatus(nodes, { ...(await client.create(nodes, node)), status: node.status! })
  }
  const scheduler: Scheduler = await startScheduler({ ...deps, client })
  t.after(async () => {
    await scheduler.close()
    await api.close()
  })
  await clock.settle()
  const add = async (pod: Pod) => {
    const { uid: _, ...metadata } = pod.metadata
    await client.create(pods, { ...pod, metadata: { ...metadata, namespace: 'shop' } })
    await clock.advance(100)
  }
  const at = (name: string) => ({ namespace: 'shop', name })
  const told = async (reason: string) =>
    (await client.list(events)).items.filter((event) => event.reason === reason).map(({ message }) => message)
  const metrics = (name: string) =>
    deps.metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith(name))
  return { clock, client, scheduler, add, at, told, metrics, pod: (name: string) => client.get(pods, at(name)) }
}

type World = Awaited<ReturnType<typeof start>>

const nodeOf = async (world: World, name: string) => (await world.pod(name)).spec?.nodeName

test('a Pod is bound to a node, and an event tells it', async (t) => {
  const world = await start(t)
  await world.add(aPod('web'))
  assert.equal(await nodeOf(world, 'web'), 'a')
  await world.clock.advance(5000)
  assert.deepEqual(await world.told('Scheduled'), ['Successfully assigned shop/web to a'])
})

test('attempts are counted by how they ended, under the name of the profile', async (t) => {
  const world = await start(t, { a: { pods: '1' } })
  await world.add(aPod('web'))
  await world.add(aPod('next'))
  await world.clock.advance(5000)
  assert.deepEqual(world.metrics('scheduler_schedule_attempts_total'), [
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1',
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 1',
  ])
  assert.deepEqual(world.metrics('scheduler_scheduling_algorithm_duration_seconds_count'), [
    'scheduler_scheduling_algorithm_duration_seconds_count 1',
  ])
  assert.deepEqual(world.metrics('scheduler_preemption_attempts_total'), ['scheduler_preemption_attempts_total 1'])
})

test('a Pod whose binding fails counts as an error, not as scheduled', async (t) => {
  const world = await start(t, { a: {}, b: {} })
  await withClaim(world, 'local-b')
  await world.add(usesClaim('db'))
  await world.clock.advance(600_500)
  assert.deepEqual(world.metrics('scheduler_schedule_attempts_total'), [
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="error"} 1',
  ])
})

test('that a waiting Pod is told why brings neither it nor others back', async (t) => {
  const world = await start(t, { a: { pods: '1' } })
  await world.add(aPod('web'))
  for (const name of ['b', 'c', 'd']) await world.add(aPod(name))
  await world.clock.advance(60_000)
  assert.deepEqual(world.metrics('scheduler_schedule_attempts_total{profile="default-scheduler",result="unsch'), [
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 3',
  ])
})

test('a Pod that was promised a node and is deleted makes room for those that counted with it', async (t) => {
  const world = await start(t, { a: { pods: '1' } })
  await world.add(aPod('promised', { nodeSelector: { disk: 'none' } }))
  const status = { nominatedNodeName: 'a' }
  await world.client.patch(pods, world.at('promised'), { status }, { type: 'merge', subresource: 'status' })
  await world.add(aPod('next'))
  await world.clock.advance(20_000)
  assert.equal(await nodeOf(world, 'next'), undefined)
  await world.client.delete(pods, world.at('promised'), { gracePeriodSeconds: 0 })
  await world.clock.advance(20_000)
  assert.equal(await nodeOf(world, 'next'), 'a')
})

test('a Pod of another scheduler is left alone', async (t) => {
  const world = await start(t)
  await world.add(aPod('web', { schedulerName: 'somebody-else' }))
  await world.clock.advance(60_000)
  assert.equal(await nodeOf(world, 'web'), undefined)
})

test('a Pod for which there is no room waits, says why, and goes as soon as room is made', async (t) => {
  const world = await start(t)
  await world.add(aPod('big', { cpu: '3' }))
  await world.add(aPod('next', { cpu: '2' }))
  const condition = (await world.pod('next')).status?.conditions?.find(({ type }) => type === 'PodScheduled')
  assert.equal(condition?.status, 'False')
  assert.match(condition?.message ?? '', /^0\/1 nodes are available: 1 Insufficient cpu\./)
  await world.client.delete(pods, world.at('big'), { gracePeriodSeconds: 0 })
  await world.clock.advance(20_000)
  assert.equal(await nodeOf(world, 'next'), 'a')
})

test('a Pod that shrinks makes room when its node has done it, not when it was asked to', async (t) => {
  const world = await start(t)
  await world.add(aPod('big', { cpu: '3' }))
  await world.add(aPod('next', { cpu: '2' }))
  const holds = async (cpu: string) => {
    const resources = { requests: { cpu } }
    const container = { name: 'main', image: 'app:1', imageID: '', ready: true, restartCount: 0 }
    const status = { phase: 'Running', containerStatuses: [{ ...container, resources, allocatedResources: { cpu } }] }
    await world.client.updateStatus(pods, { ...(await world.pod('big')), status })
    await world.clock.advance(60_000)
  }
  await holds('3')
  const smaller = { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }] } }
  await world.client.patch(pods, world.at('big'), smaller, { type: 'strategic', subresource: 'resize' })
  await world.clock.advance(60_000)
  assert.equal(await nodeOf(world, 'next'), undefined)
  await holds('1')
  assert.equal(await nodeOf(world, 'next'), 'a')
})

test('a Pod of higher priority drives another away: the victim is told, the node promised', async (t) => {
  const world = await start(t)
  await world.add(aPod('low', { cpu: '3' }))
  const { client } = world
  await client.create(priorityClasses, { metadata: { name: 'urgent' }, value: 1000 })
  await world.add(aPod('high', { cpu: '3', priorityClassName: 'urgent' }))
  const victim = await world.pod('low')
  assert.ok(victim.metadata.deletionTimestamp)
  assert.equal(
    victim.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason,
    'PreemptionByScheduler',
  )
  assert.equal((await world.pod('high')).status?.nominatedNodeName, 'a')
  await client.delete(pods, world.at('low'), { gracePeriodSeconds: 0 })
  await world.clock.advance(20_000)
  assert.equal(await nodeOf(world, 'high'), 'a')
})

// ---------------------------------------------------------------- volumes, before a Pod is bound

const usesClaim = (name: string) =>
  aPod(name, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })

/** A claim that waits for its Pod; with a volume on node b where `volume` is given, else for a provisioner. */
async function withClaim(world: World, volume?: string): Promise<void> {
  const { client } = world
  const provisioner = volume === undefined ? 'disk.example.com' : 'kubernetes.io/no-provisioner'
  await client.create(storageClasses, {
    metadata: { name: 'late' },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  const resources = { requests: { storage: '1Gi' } }
  const spec = { storageClassName: 'late', accessModes: ['ReadWriteOnce'], resources }
  await client.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'shop' }, spec })
  if (volume !== undefined) {
    const made = await client.create(persistentVolumes, {
      metadata: { name: volume },
      spec: {
        storageClassName: 'late',
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        local: { path: '/disk' },
        nodeAffinity: onNode('b'),
      },
    })
    await client.updateStatus(persistentVolumes, { ...made, status: { phase: 'Available' } })
  }
  await world.clock.settle()
}

const onNode = (node: string) => ({
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }],
  },
})

const claimOf = (world: World): Promise<Frozen<PersistentVolumeClaim>> =>
  world.client.get(persistentVolumeClaims, world.at('data'))

/** As the volume controller does when claim and volume have found each other. */
async function finishBinding(world: World, volumeName: string): Promise<void> {
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' }
  const change = {
    metadata: { annotations },
    spec: { volumeName },
  }
  await world.client.patch(persistentVolumeClaims, world.at('data'), change, { type: 'merge' })
  await world.clock.advance(1000)
}

test('before a Pod is bound, the volume that was chosen is set aside for its claim, and waited for', async (t) => {
  const world = await start(t, { a: {}, b: {} })
  await withClaim(world, 'local-b')
  await world.add(usesClaim('db'))
  const volume = await world.client.get(persistentVolumes, { name: 'local-b' })
  const { uid } = (await claimOf(world)).metadata
  assert.deepEqual(
    [volume.spec?.claimRef?.namespace, volume.spec?.claimRef?.name, volume.spec?.claimRef?.uid],
    ['shop', 'data', uid],
  )
  assert.equal(volume.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes')
  await world.clock.advance(60_000)
  assert.equal(await nodeOf(world, 'db'), undefined)
  await finishBinding(world, 'local-b')
  assert.equal(await nodeOf(world, 'db'), 'b')
})

test('a volume that has to be made is asked for on the chosen node, and waited for', async (t) => {
  const world = await start(t)
  await withClaim(world)
  await world.add(usesClaim('db'))
  assert.equal((await claimOf(world)).metadata.annotations?.['volume.kubernetes.io/selected-node'], 'a')
  await world.clock.advance(60_000)
  assert.equal(await nodeOf(world, 'db'), undefined)
  const spec = {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    local: { path: '/disk' },
    nodeAffinity: onNode('a'),
  }
  await world.client.create(persistentVolumes, {
    metadata: { name: 'made' },
    spec: { ...spec, storageClassName: 'late' },
  })
  await finishBinding(world, 'made')
  assert.equal(await nodeOf(world, 'db'), 'a')
})

test('a provisioner that gives up on a node makes the scheduler choose again', async (t) => {
  const world = await start(t)
  await withClaim(world)
  await world.add(usesClaim('db'))
  const selected = 'volume.kubernetes.io/selected-node'
  const change = {
    metadata: { annotations: { [selected]: null } },
  }
  await world.client.patch(persistentVolumeClaims, world.at('data'), change, { type: 'merge' })
  await world.clock.advance(500)
  assert.deepEqual(await world.told('FailedScheduling'), ['binding volumes: provisioning failed for PVC "data"'])
  assert.equal(await nodeOf(world, 'db'), undefined)
  await world.clock.advance(30_000)
  assert.equal((await claimOf(world)).metadata.annotations?.[selected], 'a')
})

test('volumes that are not bound after ten minutes are given up, and what was assumed is taken back', async (t) => {
  const world = await start(t, { a: {}, b: {} })
  await withClaim(world, 'local-b')
  await world.add(usesClaim('db'))
  await world.clock.advance(601_000)
  assert.deepEqual(await world.told('FailedScheduling'), ['binding volumes: context deadline exceeded'])
  await finishBinding(world, 'local-b')
  await world.clock.advance(60_000)
  assert.equal(await nodeOf(world, 'db'), 'b')
})

test('a Pod that is deleted while its volumes are waited for takes no node any more', async (t) => {
  const world = await start(t, { a: { pods: '1' } })
  await withClaim(world)
  await world.add(usesClaim('db'))
  await world.add(aPod('next'))
  assert.equal(await nodeOf(world, 'next'), undefined)
  await world.client.delete(pods, world.at('db'), { gracePeriodSeconds: 0 })
  await world.clock.advance(20_000)
  assert.equal(await nodeOf(world, 'next'), 'a')
  assert.ok((await world.told('FailedScheduling')).includes('binding volumes: pod does not exist any more'))
})

test('a scheduler that is closed waits for no volumes', async (t) => {
  const world = await start(t)
  await withClaim(world)
  await world.add(usesClaim('db'))
  await world.scheduler.close()
  assert.equal(await nodeOf(world, 'db'), undefined)
})
