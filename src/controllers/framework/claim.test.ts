/** Adopting and releasing, as ReplicaSets do it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods, replicaSets } from '../../api/generated/resources.ts'
import type { ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { startWorld, type World } from '../testing/world.ts'
import { claim } from './claim.ts'

const labels = { app: 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'a' }] } }

async function start(replicas: number, finalizers: string[] = []): Promise<World> {
  const world = await startWorld(['replicaset-controller'])
  await world.client.create(replicaSets, {
    metadata: { namespace: 'default', name: 'web', finalizers },
    spec: { replicas, selector: { matchLabels: labels }, template },
  })
  await world.clock.settle()
  return world
}

async function addPod(world: World, metadata: Pod['metadata']): Promise<void> {
  await world.client.create(pods, { metadata: { namespace: 'default', ...metadata }, spec: template.spec })
  await world.clock.settle()
}

/** 'name owner' of every pod; generated names are only 'web'. */
const owners = async (world: World) =>
  (await world.pods())
    .map(
      ({ metadata }) =>
        `${metadata.generateName ? 'web' : metadata.name} ${metadata.ownerReferences?.[0]?.name ?? '-'}`,
    )
    .sort()

test('a pod without an owner that matches is adopted, and counts: one of those that were made is too many', async () => {
  await using world = await start(2)
  await addPod(world, { name: 'orphan', labels })
  assert.deepEqual(await owners(world), ['orphan web', 'web web'])
})

test('one that does not match, or is managed by somebody else, is left alone', async () => {
  await using world = await start(0)
  await addPod(world, { name: 'other', labels: { app: 'db' } })
  const owner = { apiVersion: 'example.com/v1', kind: 'Fleet', name: 'fleet', uid: 'f', controller: true }
  await addPod(world, { name: 'taken', labels, ownerReferences: [owner] })
  assert.deepEqual(await owners(world), ['other -', 'taken fleet'])
})

test('a pod that no longer matches is released, goes on, and is replaced', async () => {
  await using world = await start(1)
  const [pod] = await world.pods()
  const changed = { metadata: { labels: { app: 'debug' } } }
  await world.client.patch(pods, { namespace: 'default', name: pod!.metadata.name! }, changed, { type: 'merge' })
  await world.clock.settle()
  assert.deepEqual(await owners(world), ['web -', 'web web'])
})

test('an owner that is being deleted adopts and releases nothing', async () => {
  await using world = await start(1, ['example.com/keep'])
  await world.client.delete(replicaSets, { namespace: 'default', name: 'web' }, { propagationPolicy: 'Background' })
  await addPod(world, { name: 'orphan', labels })
  assert.deepEqual(await owners(world), ['orphan -', 'web web'])
})

/** Claims all pods, with what somebody remembers of the owner. */
async function claimAs(world: World, owner: ReplicaSet) {
  const candidates = await world.pods()
  const claimed = await claim({
    client: world.client,
    ownerResource: replicaSets,
    owner,
    resource: pods,
    candidates,
    matches: () => true,
  })
  return claimed.map(({ metadata }) => metadata.name)
}

test('who remembers an owner that is gone, or going, adopts nothing for it', async () => {
  await using world = await start(0, ['example.com/keep'])
  const key = { namespace: 'default', name: 'web' }
  const remembered = await world.client.get(replicaSets, key)
  await addPod(world, { name: 'orphan', labels: { app: 'db' } })
  const earlier = { ...remembered, metadata: { ...remembered.metadata, uid: 'earlier' } } as ReplicaSet
  await assert.rejects(claimAs(world, earlier), /original ReplicaSet web is gone: got uid .*, wanted earlier/)
  await world.client.delete(replicaSets, key)
  await assert.rejects(claimAs(world, remembered as ReplicaSet), /web has just been deleted at/)
  assert.deepEqual(await owners(world), ['orphan -'])
})

test('what another owner manages is not claimed, even when it is offered', async () => {
  await using world = await start(1)
  const other = { metadata: { namespace: 'default', name: 'other', uid: 'another' } } as ReplicaSet
  assert.deepEqual(await claimAs(world, other), [])
  assert.deepEqual(await owners(world), ['web web'])
})
