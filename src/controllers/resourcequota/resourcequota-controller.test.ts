import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForbidden } from '../../api/errors/api-error.ts'
import { configMaps, deployments, pods, resourceQuotas } from '../../api/generated/resources.ts'
import type { ResourceQuotaSpec } from '../../api/generated/types/core-v1.ts'
import { startWorld, type World } from '../testing/world.ts'

const key = { namespace: 'default', name: 'q' }

async function start(spec: ResourceQuotaSpec): Promise<World> {
  const world = await startWorld(['resourcequota-controller'])
  await world.client.create(resourceQuotas, { metadata: key, spec })
  await world.clock.settle()
  return world
}

/** Long enough for a count to be lowered. */
const lowered = (world: World) => world.clock.advance(100)
const used = async (world: World) => (await world.client.get(resourceQuotas, key)).status?.used
/** Counts pods as admission does, before they are there. */
const count = async (world: World, hard: string, used: string) => {
  const quota = await world.client.get(resourceQuotas, key)
  await world.client.updateStatus(resourceQuotas, { ...quota, status: { hard: { pods: hard }, used: { pods: used } } })
}
const addPod = async (world: World, name: string, cpu: string) => {
  await world.client.create(pods, {
    metadata: { namespace: 'default', name },
    spec: { containers: [{ name: 'c', image: 'a', resources: { requests: { cpu } } }] },
  })
  await world.clock.settle()
}

test('a new quota is counted at once, with 0 where there is nothing', async () => {
  await using world = await start({
    hard: { pods: '2', 'requests.cpu': '1', configmaps: '10', 'count/deployments.apps': '1' },
  })
  assert.deepEqual(await used(world), {
    pods: '0',
    'requests.cpu': '0',
    configmaps: '0',
    'count/deployments.apps': '0',
  })
})

test('what is made is refused beyond the quota, and room comes back when something goes', async () => {
  await using world = await start({ hard: { pods: '2', 'requests.cpu': '1' } })
  await addPod(world, 'a', '600m')
  assert.deepEqual(await used(world), { pods: '1', 'requests.cpu': '600m' })
  await assert.rejects(addPod(world, 'b', '500m'), isForbidden)
  await world.client.delete(pods, { namespace: 'default', name: 'a' })
  await lowered(world)
  assert.deepEqual(await used(world), { pods: '0', 'requests.cpu': '0' })
  await addPod(world, 'b', '500m')
})

test('a pod that ended counts no more', async () => {
  await using world = await start({ hard: { pods: '1' } })
  await addPod(world, 'a', '1m')
  await world.client.updateStatus(pods, {
    ...(await world.client.get(pods, { namespace: 'default', name: 'a' })),
    status: { phase: 'Succeeded' },
  })
  await lowered(world)
  assert.deepEqual(await used(world), { pods: '0' })
})

test('scopes choose which pods count', async () => {
  await using world = await start({ hard: { pods: '5' }, scopes: ['BestEffort'] })
  await addPod(world, 'a', '1m')
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'b' },
    spec: { containers: [{ name: 'c', image: 'a' }] },
  })
  await world.clock.settle()
  assert.deepEqual(await used(world), { pods: '1' })
})

test('objects of any resource can be counted', async () => {
  await using world = await start({ hard: { 'count/configmaps': '5', 'count/deployments.apps': '1' } })
  await world.client.create(configMaps, { metadata: { namespace: 'default', name: 'a' } })
  const labels = { a: 'b' }
  await world.client.create(deployments, {
    metadata: { namespace: 'default', name: 'd' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'a' }] } },
    },
  })
  await world.clock.settle()
  assert.deepEqual(await used(world), { 'count/configmaps': '1', 'count/deployments.apps': '1' })
  await world.client.delete(configMaps, { namespace: 'default', name: 'a' })
  await world.client.delete(deployments, { namespace: 'default', name: 'd' })
  await lowered(world)
  assert.deepEqual(await used(world), { 'count/configmaps': '0', 'count/deployments.apps': '0' })
})

test('many at the same time get no more than the quota', async () => {
  await using world = await start({ hard: { pods: '10' } })
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, i) =>
      world.client.create(pods, {
        metadata: { namespace: 'default', name: `p${i}` },
        spec: { containers: [{ name: 'c', image: 'a' }] },
      }),
    ),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 10)
  await world.clock.settle()
  assert.equal((await world.pods()).length, 10)
})

test('what admission has counted is not taken back before the object can be seen', async () => {
  await using world = await start({ hard: { pods: '2' } })
  await count(world, '2', '1')
  await world.clock.settle()
  assert.deepEqual(await used(world), { pods: '1' })
})

test('nor when something else goes at that moment; what really is not there is taken back soon', async () => {
  await using world = await start({ hard: { pods: '5' } })
  await addPod(world, 'a', '1m')
  await count(world, '5', '2')
  await world.client.delete(pods, { namespace: 'default', name: 'a' })
  await world.clock.settle()
  assert.deepEqual(await used(world), { pods: '2' })
  await lowered(world)
  assert.deepEqual(await used(world), { pods: '0' })
})

test('a pod that is bound to a node counts as before: nothing is counted again', async () => {
  await using world = await start({ hard: { pods: '5' } })
  await addPod(world, 'a', '1m')
  await count(world, '5', '2')
  await world.client.createSubresource(pods, { namespace: 'default', name: 'a' }, 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'a' },
    target: { kind: 'Node', name: 'n' },
  })
  await lowered(world)
  assert.deepEqual(await used(world), { pods: '2' })
})

test('a pod that shrinks counts with what it still holds until the resize is done', async () => {
  await using world = await start({ hard: { 'requests.cpu': '2' } })
  await addPod(world, 'a', '1')
  const a = { namespace: 'default', name: 'a' }
  const holds = async (cpu: string) => {
    const resources = { requests: { cpu } }
    const status = { name: 'c', image: 'a', imageID: '', ready: true, restartCount: 0, resources }
    await world.client.updateStatus(pods, {
      ...(await world.client.get(pods, a)),
      status: { phase: 'Running', containerStatuses: [{ ...status, allocatedResources: { cpu } }] },
    })
    await lowered(world)
  }
  await holds('1')
  const smaller = { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '200m' } } }] } }
  await world.client.patch(pods, a, smaller, { type: 'strategic', subresource: 'resize' })
  await world.clock.settle()
  assert.deepEqual(await used(world), { 'requests.cpu': '1' })
  await holds('200m')
  assert.deepEqual(await used(world), { 'requests.cpu': '200m' })
})
