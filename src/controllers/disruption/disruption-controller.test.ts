import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooManyRequests } from '../../api/errors/api-error.ts'
import { podDisruptionBudgets, pods, replicaSets } from '../../api/generated/resources.ts'
import type { PodDisruptionBudgetSpec } from '../../api/generated/types/policy-v1.ts'
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

test('evictions are granted while the budget lasts, and again when a new pod serves', async () => {
  await using world = await start(3, { minAvailable: 2 })
  await world.runPods()
  await evict(world)
  await assert.rejects(evict(world), isTooManyRequests)
  await world.runPods()
  await world.runPods()
  await evict(world)
})
