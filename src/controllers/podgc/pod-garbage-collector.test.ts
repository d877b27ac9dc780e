import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../../api/generated/resources.ts'
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
