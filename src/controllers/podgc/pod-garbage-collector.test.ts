import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../../api/generated/resources.ts'
import { conditionOf } from '../framework/conditions.ts'
import { startWorld } from '../testing/world.ts'

test('of very many ended pods the oldest go', async () => {
  await using world = await startWorld(['pod-garbage-collector-controller'], { terminatedPodGcThreshold: 2 })
  for (const name of ['a', 'b', 'c', 'd']) {
    const pod = await world.client.create(pods, {
      metadata: { namespace: 'default', name },
      spec: { containers: [{ name: 'c', image: 'a' }] },
    })
    if (name !== 'd') await world.client.updateStatus(pods, { ...pod, status: { phase: 'Succeeded' } })
    await world.clock.advance(1000)
  }
  await world.clock.advance(21_000)
  assert.deepEqual(
    (await world.pods()).map(({ metadata }) => metadata.name),
    ['b', 'c', 'd'],
  )
})

test('a pod of a node that is gone is marked once, as failed and why, and deleted; an ended one is only deleted', async () => {
  await using world = await startWorld(['pod-garbage-collector-controller'])
  for (const name of ['ended', 'lost']) {
    const pod = await world.client.create(pods, {
      metadata: { namespace: 'default', name, finalizers: ['example.com/seen'] },
      spec: { nodeName: 'gone', containers: [{ name: 'c', image: 'a' }] },
    })
    await world.client.updateStatus(pods, { ...pod, status: { phase: name === 'ended' ? 'Succeeded' : 'Running' } })
  }
  await world.clock.advance(65_000)
  const [ended, lost] = await world.pods()
  assert.ok(ended?.metadata.deletionTimestamp && lost?.metadata.deletionTimestamp)
  assert.equal(ended.status?.phase, 'Succeeded')
  assert.equal(conditionOf(ended.status?.conditions, 'DisruptionTarget'), undefined)
  assert.equal(lost.status?.phase, 'Failed')
  assert.equal(conditionOf(lost.status?.conditions, 'DisruptionTarget')?.reason, 'DeletionByPodGC')
  assert.equal(world.writes.filter((write) => write === 'PATCH pods').length, 1)
})
