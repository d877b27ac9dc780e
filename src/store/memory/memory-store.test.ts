import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { storeContract } from '../contract.ts'
import { openMemoryStore } from './memory-store.ts'

const newDeps = () => ({
  clock: new VirtualClock(),
  random: seededRandom(1),
  log: silentLogger,
  metrics: new Metrics(),
})

storeContract('memory', async () => {
  const deps = newDeps()
  const store = openMemoryStore(deps)
  return { store, deps, close: () => store.close() }
})

test('memory: the very value that was given is read again', async () => {
  const store = openMemoryStore(newDeps())
  const value = { bytes: Buffer.from('x'), parsed: { x: 1 } }
  await store.put('/a', () => value, 'any')
  assert.equal((await store.get('/a'))!.value, value)
})

test('memory: history is kept for five minutes, and not more than so many changes', async () => {
  const deps = newDeps()
  const store = openMemoryStore({ ...deps, historyMax: 16 })
  const put = () => store.put('/a', () => ({ bytes: Buffer.from('x') }), 'any')
  for (let i = 0; i < 15; i++) await put()
  assert.equal(store.compactedRevision(), 1)
  for (let i = 0; i < 4; i++) await put()
  assert.equal(store.compactedRevision(), 4)
  await deps.clock.advance(6 * 60_000)
  await put()
  assert.equal(store.compactedRevision(), 20)
  assert.equal((await store.history('/', 20)).changes.length, 1)
})
