import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMaps, namespaces, nodes, pods } from '../../api/generated/resources.ts'
import type { ConfigMap } from '../../api/generated/types/core-v1.ts'
import type { OwnerReference } from '../../api/generated/types/meta-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { startWorld, type World } from '../testing/world.ts'

const start = () => startWorld(['garbage-collector-controller'])

async function add(
  world: World,
  name: string,
  owners: readonly Frozen<ConfigMap>[] = [],
  blockOwnerDeletion = true,
): Promise<Frozen<ConfigMap>> {
  const ownerReferences: OwnerReference[] = owners.map(({ metadata }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    blockOwnerDeletion,
  }))
  const made = await world.client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, ownerReferences },
  })
  await world.clock.settle()
  return made
}

/** Of all but what the API server itself keeps. */
const names = async (world: World) =>
  (await world.client.list(configMaps)).items
    .filter(({ metadata }) => metadata.namespace !== 'kube-system')
    .map(({ metadata }) => metadata.name)
const remove = async (world: World, name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') => {
  await world.client.delete(configMaps, { namespace: 'default', name }, { propagationPolicy })
  await world.clock.advance(5000)
}

test('what nobody owns any more is deleted, down to the last', async () => {
  await using world = await start()
  const a = await add(world, 'a')
  const b = await add(world, 'b', [a])
  await add(world, 'c', [b])
  await add(world, 'free')
  await remove(world, 'a', 'Background')
  assert.deepEqual(await names(world), ['free'])
})

test('an object with one owner left stays, and loses the reference to the other', async () => {
  await using world = await start()
  const a = await add(world, 'a')
  const b = await add(world, 'b')
  await add(world, 'c', [a, b])
  await remove(world, 'a', 'Background')
  assert.deepEqual(await names(world), ['b', 'c'])
  const c = await world.client.get(configMaps, { namespace: 'default', name: 'c' })
  assert.deepEqual(
    c.metadata.ownerReferences?.map(({ name }) => name),
    ['b'],
  )
})

test('in foreground deletion the owner goes last', async () => {
  await using world = await start()
  const a = await add(world, 'a')
  const b = await world.client.create(configMaps, {
    metadata: {
      namespace: 'default',
      name: 'b',
      finalizers: ['example.com/wait'],
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: a.metadata.uid ?? '', blockOwnerDeletion: true },
      ],
    },
  })
  await world.clock.settle()
  await remove(world, 'a', 'Foreground')
  assert.deepEqual(await names(world), ['a', 'b'])
  await world.client.patch(
    configMaps,
    { namespace: 'default', name: 'b' },
    { metadata: { finalizers: null } },
    { type: 'merge' },
  )
  void b
  await world.clock.advance(5000)
  assert.deepEqual(await names(world), [])
})

test('a dependent that does not block lets its owner go first', async () => {
  await using world = await start()
  const a = await add(world, 'a')
  await add(world, 'b', [a], false)
  await remove(world, 'a', 'Foreground')
  assert.deepEqual(await names(world), [])
})

test('orphans stay, without the reference', async () => {
  await using world = await start()
  const a = await add(world, 'a')
  await add(world, 'b', [a])
  await remove(world, 'a', 'Orphan')
  assert.deepEqual(await names(world), ['b'])
  assert.equal(
    (await world.client.get(configMaps, { namespace: 'default', name: 'b' })).metadata.ownerReferences?.length ?? 0,
    0,
  )
})

test('a circle of owners does not block its deletion', async () => {
  await using world = await start()
  const a = await add(world, 'a')
  const b = await add(world, 'b', [a])
  const c = await add(world, 'c', [b])
  await world.client.patch(
    configMaps,
    { namespace: 'default', name: 'a' },
    {
      metadata: {
        ownerReferences: [
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: c.metadata.uid, blockOwnerDeletion: true },
        ],
      },
    },
    { type: 'merge' },
  )
  await world.clock.settle()
  await remove(world, 'a', 'Foreground')
  await world.clock.advance(60_000)
  assert.deepEqual(await names(world), [])
})

test('an object whose owner never existed is deleted', async () => {
  await using world = await start()
  await world.client.create(configMaps, {
    metadata: {
      namespace: 'default',
      name: 'x',
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: 'no-such-uid' }],
    },
  })
  await world.clock.advance(5000)
  assert.deepEqual(await names(world), [])
})

test('an owner of another namespace counts as absent', async () => {
  await using world = await start()
  await world.client.create(namespaces, { metadata: { name: 'other' } })
  const there = await world.client.create(configMaps, { metadata: { namespace: 'other', name: 'p' } })
  await world.client.create(configMaps, {
    metadata: {
      namespace: 'default',
      name: 'x',
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'p', uid: there.metadata.uid ?? '' }],
    },
  })
  await world.clock.advance(5000)
  assert.deepEqual(await names(world), ['p'])
})

test('a cluster-scoped object with a namespaced owner is left alone', async () => {
  await using world = await start()
  await world.client.create(nodes, {
    metadata: { name: 'n', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] },
  })
  await world.clock.advance(5000)
  assert.equal((await world.client.list(nodes)).items.length, 1)
})

test('namespaces are emptied and then let go', async () => {
  await using world = await startWorld(['namespace-controller'])
  await world.client.create(namespaces, { metadata: { name: 'doomed' } })
  await world.client.create(configMaps, {
    metadata: { namespace: 'doomed', name: 'held', finalizers: ['example.com/wait'] },
  })
  await world.client.create(configMaps, { metadata: { namespace: 'default', name: 'kept' } })
  await world.client.create(pods, {
    metadata: { namespace: 'doomed', name: 'p' },
    spec: { containers: [{ name: 'c', image: 'a' }] },
  })
  await world.client.delete(namespaces, { name: 'doomed' })
  await world.clock.advance(1000)
  const { status } = await world.client.get(namespaces, { name: 'doomed' })
  assert.equal(status?.phase, 'Terminating')
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type)
  assert.equal(
    condition('NamespaceContentRemaining')?.message,
    'Some resources are remaining: configmaps. has 1 resource instances',
  )
  assert.equal(
    condition('NamespaceFinalizersRemaining')?.message,
    'Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances',
  )
  await world.client.patch(
    configMaps,
    { namespace: 'doomed', name: 'held' },
    { metadata: { finalizers: null } },
    { type: 'merge' },
  )
  await world.clock.advance(60_000)
  assert.ok(!(await world.client.list(namespaces)).items.some(({ metadata }) => metadata.name === 'doomed'))
  assert.deepEqual(await names(world), ['kept'])
})
