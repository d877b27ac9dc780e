import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooManyRequests } from '../../api/errors/api-error.ts'
import { events, podDisruptionBudgets, pods, replicaSets } from '../../api/generated/resources.ts'
import type { PodDisruptionBudgetSpec } from '../../api/generated/types/policy-v1.ts'
import { timestamp } from '../../client/object.ts'
import { startWorld, type World } from '../testing/world.ts'

const key = { namespace: 'default', name: 'b' }
const labels = { app: 'web' }

async function start(replicas: number, spec: PodDisruptionBudgetSpec): Promise<World> {
  const world = await startWorld(['disruption-controller', 'replicaset-controller'])
  await world.client.create(podDisruptionBudgets, {
    metadata: key,
    spec: { selector: { matchLabels: labels }, ...spec },
  })
  await world.client.create(replicaSets, {
    metadata: { namespace: 'default', name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'a' }] } },
    },
  })
  await world.clock.settle()
  return world
}

const counts = async (world: World) => {
  const { status } = await world.client.get(podDisruptionBudgets, key)
  return [status?.expectedPods, status?.desiredHealthy, status?.currentHealthy, status?.disruptionsAllowed]
}
const evict = async (world: World) => {
  const name =
    (await world.pods()).find(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === 'Running')
      ?.metadata.name ?? ''
  await world.client.createSubresource(pods, { namespace: 'default', name }, 'eviction', {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace: 'default', name },
  })
  await world.clock.settle()
}

test('a number that must be available is counted against the pods there are', async () => {
  await using world = await start(3, { minAvailable: 2 })
  assert.deepEqual(await counts(world), [3, 2, 0, 0])
  await world.runPods()
  assert.deepEqual(await counts(world), [3, 2, 3, 1])
  const { status } = await world.client.get(podDisruptionBudgets, key)
  assert.equal(status?.conditions?.[0]?.reason, 'SufficientPods')
})

test('what may be missing is counted against what the owners want', async () => {
  await using world = await start(4, { maxUnavailable: '25%' })
  await world.runPods()
  assert.deepEqual(await counts(world), [4, 3, 4, 1])
  await world.client.patch(
    replicaSets,
    { namespace: 'default', name: 'web' },
    { spec: { replicas: 8 } },
    { type: 'merge' },
  )
  await world.clock.settle()
  assert.deepEqual(await counts(world), [8, 6, 4, 0])
})

test('a budget over pods whose owner has no scale says so', async () => {
  await using world = await startWorld(['disruption-controller'])
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p', labels, ownerReferences: [owner] },
    spec: { containers: [{ name: 'c', image: 'a' }] },
  })
  await world.client.create(podDisruptionBudgets, {
    metadata: key,
    spec: { selector: { matchLabels: labels }, maxUnavailable: 1 },
  })
  await world.clock.settle()
  const [condition] = (await world.client.get(podDisruptionBudgets, key)).status?.conditions ?? []
  assert.deepEqual(
    [condition?.reason, condition?.message],
    ['SyncFailed', 'jobs.batch does not implement the scale subresource'],
  )
})

test('an eviction that was granted and did not happen is told of, and no longer counted', async () => {
  await using world = await start(3, { minAvailable: 2 })
  await world.runPods()
  const budget = await world.client.get(podDisruptionBudgets, key)
  const name = (await world.pods())[0]?.metadata.name ?? ''
  await world.client.updateStatus(podDisruptionBudgets, {
    ...budget,
    status: {
      ...budget.status,
      currentHealthy: 3,
      desiredHealthy: 2,
      disruptionsAllowed: 0,
      expectedPods: 3,
      disruptedPods: { [name]: timestamp(world.clock.now()) },
    },
  })
  await world.clock.settle()
  assert.deepEqual(await counts(world), [3, 2, 2, 0])
  await world.clock.advance(125_000)
  assert.deepEqual(await counts(world), [3, 2, 3, 1])
  const told = (await world.client.list(events)).items.find(({ reason }) => reason === 'NotDeleted')
  assert.equal(told?.involvedObject.name, name)
  assert.equal(told?.message, "Pod was expected by PDB default/b to be deleted but it wasn't")
})

test('evictions are granted while the budget lasts, and again when a new pod serves', async () => {
  await using world = await start(3, { minAvailable: 2 })
  await world.runPods()
  await evict(world)
  await assert.rejects(evict(world), isTooManyRequests)
  await world.runPods()
  await world.runPods()
  await evict(world)
})
