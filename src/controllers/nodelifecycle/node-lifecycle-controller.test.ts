import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leases, nodes, pods } from '../../api/generated/resources.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { microTimestamp, timestamp } from '../../client/object.ts'
import { startWorld, type World } from '../testing/world.ts'

const controllers = [
  'node-lifecycle-controller',
  'taint-eviction-controller',
  'node-ipam-controller',
  'pod-garbage-collector-controller',
]

async function addNode(world: World, name: string): Promise<void> {
  const node = await world.client.create(nodes, { metadata: { name }, spec: {} })
  const now = timestamp(world.clock.now())
  await world.client.updateStatus(nodes, {
    ...node,
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }] },
  })
  await world.client.create(leases, {
    metadata: { namespace: 'kube-node-lease', name },
    spec: { holderIdentity: name, renewTime: microTimestamp(world.clock.now()) },
  })
  await world.clock.settle()
}

async function renew(world: World, name: string): Promise<void> {
  await world.client.patch(
    leases,
    { namespace: 'kube-node-lease', name },
    { spec: { renewTime: microTimestamp(world.clock.now()) } },
    { type: 'merge' },
  )
}

async function live(world: World, seconds: number, alive: readonly string[]): Promise<void> {
  for (let i = 0; i < seconds; i += 10) {
    for (const name of alive) await renew(world, name)
    await world.clock.advance(10_000)
  }
}

const node = (world: World, name: string): Promise<Frozen<Node>> => world.client.get(nodes, { name })
const taints = async (world: World, name: string) =>
  (await node(world, name)).spec?.taints?.map(({ key, effect }) => `${key}:${effect}`).sort() ?? []

test('a node that renews its lease stays ready and untainted', async () => {
  await using world = await startWorld(controllers)
  await addNode(world, 'a')
  await live(world, 300, ['a'])
  assert.equal((await node(world, 'a')).status?.conditions?.[0]?.status, 'True')
  assert.deepEqual(await taints(world, 'a'), [])
})

test('a silent node becomes Unknown, is tainted, and its pods move after their toleration', async () => {
  await using world = await startWorld(controllers)
  await addNode(world, 'a')
  await addNode(world, 'b')
  const tolerations = [
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ]
  const pod = await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: { nodeName: 'a', containers: [{ name: 'c', image: 'a' }], tolerations },
  })
  await world.client.updateStatus(pods, {
    ...pod,
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  })
  await live(world, 40, ['b'])
  assert.deepEqual(await taints(world, 'a'), [])
  await live(world, 20, ['b'])
  const ready = (await node(world, 'a')).status?.conditions?.find(({ type }) => type === 'Ready')
  assert.equal(ready?.status, 'Unknown')
  assert.equal(ready?.reason, 'NodeStatusUnknown')
  assert.deepEqual(await taints(world, 'a'), [
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ])
  assert.equal((await world.pods())[0]?.status?.conditions?.[0]?.status, 'False')
  await live(world, 280, ['b'])
  assert.equal((await world.pods())[0]?.metadata.deletionTimestamp, undefined)
  await live(world, 30, ['b'])
  assert.ok((await world.pods())[0]?.metadata.deletionTimestamp)
})

test('a node that comes back in time keeps its pods', async () => {
  await using world = await startWorld(controllers)
  await addNode(world, 'a')
  await addNode(world, 'b')
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      nodeName: 'a',
      containers: [{ name: 'c', image: 'a' }],
      tolerations: [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
  })
  await live(world, 100, ['b'])
  const silent = await node(world, 'a')
  const now = timestamp(world.clock.now())
  await world.client.updateStatus(nodes, {
    ...silent,
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: now }] },
  })
  await live(world, 400, ['a', 'b'])
  assert.deepEqual(await taints(world, 'a'), [])
  assert.equal((await world.pods())[0]?.metadata.deletionTimestamp, undefined)
})

test('when all nodes fall silent no pod is moved', async () => {
  await using world = await startWorld(controllers)
  await addNode(world, 'a')
  await addNode(world, 'b')
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      nodeName: 'a',
      containers: [{ name: 'c', image: 'a' }],
      tolerations: [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
    },
  })
  await live(world, 400, [])
  assert.deepEqual(
    (await taints(world, 'a')).filter((taint) => taint.endsWith('NoExecute')),
    [],
  )
  assert.equal((await world.pods())[0]?.metadata.deletionTimestamp, undefined)
})

test('each node gets a range of pod addresses of its own, in order', async () => {
  await using world = await startWorld(controllers)
  for (const name of ['a', 'b', 'c']) await addNode(world, name)
  assert.deepEqual(
    (await world.client.list(nodes)).items.map(({ spec }) => spec?.podCIDR),
    ['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24'],
  )
})

test('cordoning a node taints it', async () => {
  await using world = await startWorld(controllers)
  await addNode(world, 'a')
  await world.client.patch(nodes, { name: 'a' }, { spec: { unschedulable: true } }, { type: 'merge' })
  await world.clock.settle()
  assert.deepEqual(await taints(world, 'a'), ['node.kubernetes.io/unschedulable:NoSchedule'])
})

test('pods of a node that is gone are failed and removed', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: { nodeName: 'gone', containers: [{ name: 'c', image: 'a' }] },
  })
  await world.clock.advance(30_000)
  assert.equal((await world.pods()).length, 1)
  await world.clock.advance(60_000)
  assert.equal((await world.pods()).length, 0)
})
