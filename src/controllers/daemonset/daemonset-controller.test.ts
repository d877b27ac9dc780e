import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllerRevisions, daemonSets, nodes, pods } from '../../api/generated/resources.ts'
import type { DaemonSet, DaemonSetUpdateStrategy } from '../../api/generated/types/apps-v1.ts'
import { startWorld, type World } from '../testing/world.ts'

const key = { namespace: 'default', name: 'd' }
const daemon = (image: string, updateStrategy?: DaemonSetUpdateStrategy): DaemonSet => ({
  metadata: key,
  spec: {
    selector: { matchLabels: { app: 'd' } },
    ...(updateStrategy && { updateStrategy }),
    template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image }] } },
  },
})

/** A node that is ready: new ones are tainted until they are. */
async function addNode(world: World, name: string, labels: Record<string, string>): Promise<void> {
  await world.client.create(nodes, { metadata: { name, labels } })
  await world.client.patch(nodes, { name }, { spec: { taints: null } }, { type: 'merge' })
}

async function start(count: number): Promise<World> {
  const world = await startWorld(['daemonset-controller'])
  for (let i = 0; i < count; i++) await addNode(world, `n${i}`, { disk: i === 0 ? 'ssd' : 'hdd' })
  await world.clock.settle()
  return world
}

/** What the scheduler would do. */
async function bind(world: World): Promise<void> {
  for (const pod of await world.pods()) {
    const name =
      pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]
        ?.matchFields?.[0]?.values?.[0]
    if (!pod.spec?.nodeName)
      await world.client.createSubresource(pods, { namespace: 'default', name: pod.metadata.name ?? '' }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.metadata.name },
        target: { kind: 'Node', name },
      })
  }
  await world.clock.settle()
  await world.runPods()
}

const on = async (world: World) => (await world.pods()).map(({ spec }) => spec?.nodeName).sort()
const images = async (world: World) => (await world.pods()).map(({ spec }) => spec?.containers[0]?.image).sort()

test('every node gets one pod, new nodes too, and the status counts them', async () => {
  await using world = await start(2)
  await world.client.create(daemonSets, daemon('a:1'))
  await world.clock.settle()
  await bind(world)
  assert.deepEqual(await on(world), ['n0', 'n1'])
  await addNode(world, 'n2', {})
  await world.clock.settle()
  await bind(world)
  assert.deepEqual(await on(world), ['n0', 'n1', 'n2'])
  const { status } = await world.client.get(daemonSets, key)
  assert.deepEqual(
    [
      status?.desiredNumberScheduled,
      status?.numberReady,
      status?.numberAvailable,
      status?.updatedNumberScheduled,
      status?.numberMisscheduled,
    ],
    [3, 3, 3, 3, 0],
  )
})

test('the template is kept with its names in order, as clients compare it', async () => {
  await using world = await start(1)
  await world.client.create(daemonSets, daemon('a:1'))
  await world.clock.settle()
  const { items } = await world.client.list(controllerRevisions, { namespace: 'default' })
  const names = [
    ...JSON.stringify(items[0]?.data).matchAll(
      /"(\$patch|metadata|labels|spec|containers|template|image|name|terminationMessagePath)":/g,
    ),
  ].map(([, name]) => name)
  assert.deepEqual(names, [
    'spec',
    'template',
    '$patch',
    'metadata',
    'labels',
    'spec',
    'containers',
    'image',
    'name',
    'terminationMessagePath',
  ])
})

test('nodes that do not fit get none; a taint that the pod does not tolerate removes it', async () => {
  await using world = await start(2)
  const ds = daemon('a:1')
  await world.client.create(daemonSets, {
    ...ds,
    spec: {
      ...ds.spec!,
      template: { ...ds.spec!.template, spec: { ...ds.spec!.template.spec!, nodeSelector: { disk: 'ssd' } } },
    },
  })
  await world.clock.settle()
  await bind(world)
  assert.deepEqual(await on(world), ['n0'])
  await world.client.patch(
    nodes,
    { name: 'n0' },
    { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } },
    { type: 'merge' },
  )
  await world.clock.settle()
  assert.deepEqual(await on(world), ['n0'])
  await world.client.patch(
    nodes,
    { name: 'n0' },
    { spec: { taints: [{ key: 'x', effect: 'NoExecute' }] } },
    { type: 'merge' },
  )
  await world.clock.settle()
  await world.runPods()
  assert.deepEqual(await on(world), [])
})

test('daemons run on cordoned and unready nodes', async () => {
  await using world = await start(1)
  const taints = [
    { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
  ]
  await world.client.patch(nodes, { name: 'n0' }, { spec: { taints } }, { type: 'merge' })
  await world.client.create(daemonSets, daemon('a:1'))
  await world.clock.settle()
  assert.equal((await world.pods()).length, 1)
})

test('an update replaces one pod after the other', async () => {
  await using world = await start(3)
  await world.client.create(daemonSets, daemon('a:1'))
  await world.clock.settle()
  await bind(world)
  await world.client.patch(
    daemonSets,
    key,
    { spec: { template: { spec: { containers: [{ name: 'c', image: 'a:2' }] } } } },
    { type: 'merge' },
  )
  await world.clock.settle()
  assert.equal((await world.pods()).filter(({ metadata }) => metadata.deletionTimestamp).length, 1)
  await world.runPods()
  assert.deepEqual(await images(world), ['a:1', 'a:1', 'a:2'])
  for (let i = 0; i < 6; i++) await bind(world)
  assert.deepEqual(await images(world), ['a:2', 'a:2', 'a:2'])
  assert.deepEqual((await world.client.list(controllerRevisions)).items.map(({ revision }) => revision).sort(), [1, 2])
})

test('with a surge the old pod goes when the new one serves', async () => {
  await using world = await start(2)
  await world.client.create(
    daemonSets,
    daemon('a:1', { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }),
  )
  await world.clock.settle()
  await bind(world)
  await world.client.patch(
    daemonSets,
    key,
    { spec: { template: { spec: { containers: [{ name: 'c', image: 'a:2' }] } } } },
    { type: 'merge' },
  )
  await world.clock.settle()
  assert.deepEqual(await images(world), ['a:1', 'a:1', 'a:2'])
  for (let i = 0; i < 4; i++) await bind(world)
  assert.deepEqual(await images(world), ['a:2', 'a:2'])
})

test('OnDelete leaves old pods until somebody deletes them', async () => {
  await using world = await start(1)
  await world.client.create(daemonSets, daemon('a:1', { type: 'OnDelete' }))
  await world.clock.settle()
  await bind(world)
  await world.client.patch(
    daemonSets,
    key,
    { spec: { template: { spec: { containers: [{ name: 'c', image: 'a:2' }] } } } },
    { type: 'merge' },
  )
  await world.clock.settle()
  assert.deepEqual(await images(world), ['a:1'])
  await world.client.delete(
    pods,
    { namespace: 'default', name: (await world.pods())[0]?.metadata.name ?? '' },
    { gracePeriodSeconds: 0 },
  )
  await world.clock.settle()
  assert.deepEqual(await images(world), ['a:2'])
})

test('a failed daemon is replaced, not too often', async () => {
  await using world = await start(1)
  await world.client.create(daemonSets, daemon('a:1'))
  await world.clock.settle()
  const fail = async () => {
    const [pod] = await world.pods()
    await world.client.updateStatus(pods, { ...pod!, status: { phase: 'Failed' } })
    await world.clock.settle()
    return pod?.metadata.uid
  }
  const first = await fail()
  assert.notEqual((await world.pods())[0]?.metadata.uid, first)
  const second = await fail()
  assert.equal((await world.pods())[0]?.metadata.uid, second)
  await world.clock.advance(1500)
  assert.notEqual((await world.pods())[0]?.metadata.uid, second)
})
