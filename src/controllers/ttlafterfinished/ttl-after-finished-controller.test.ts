import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobs } from '../../api/generated/resources.ts'
import { timestamp } from '../../client/object.ts'
import { startWorld } from '../testing/world.ts'

const key = { namespace: 'default', name: 'j' }

test('a finished Job goes when its time is over, and gets more when somebody gives it more', async () => {
  await using world = await startWorld(['ttl-after-finished-controller'])
  const job = await world.client.create(jobs, {
    metadata: key,
    spec: {
      ttlSecondsAfterFinished: 60,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a' }] } },
    },
  })
  await world.clock.advance(100_000)
  const now = timestamp(world.clock.now())
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }))
  await world.client.updateStatus(jobs, { ...job, status: { startTime: now, completionTime: now, conditions } })
  await world.clock.advance(50_000)
  await world.client.patch(jobs, key, { spec: { ttlSecondsAfterFinished: 120 } }, { type: 'merge' })
  await world.clock.advance(60_000)
  assert.equal((await world.client.get(jobs, key)).metadata.deletionTimestamp, undefined)
  await world.clock.advance(15_000)
  // Its pods go first: foreground deletion, which the garbage collector completes.
  assert.ok((await world.client.get(jobs, key)).metadata.deletionTimestamp)
})
