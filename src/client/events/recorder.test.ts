import assert from 'node:assert/strict'
import { test } from 'node:test'
import { events, pods } from '../../api/generated/resources.ts'
import { startApiServer } from '../../apiserver/apiserver.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { newClient } from '../client.ts'
import { eventRecorder, referenceTo } from './recorder.ts'

const pod = { metadata: { namespace: 'default', name: 'p', uid: 'u' } }

async function start() {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const server = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    authorizationModes: ['AlwaysAllow'],
    freeze: true,
  })
  const client = newClient(server.transport({ name: 'a', groups: ['system:masters'] }))
  const recorder = eventRecorder({ deps, client, component: 'kubelet', host: 'n1' })
  const tell = (reason: string, message: string) => recorder.event(referenceTo(pods, pod), 'Normal', reason, message)
  const all = async () => {
    await clock.settle()
    return (await client.list(events)).items
  }
  return { clock, tell, all, close: () => server.close() }
}

test('an event says who did what to whom', async () => {
  const { tell, all, close } = await start()
  tell('Pulled', 'image is here')
  const [event] = await all()
  assert.equal(event?.involvedObject.kind, 'Pod')
  assert.equal(event?.involvedObject.uid, 'u')
  assert.deepEqual(event?.source, { component: 'kubelet', host: 'n1' })
  assert.equal(event?.reportingComponent, 'kubelet')
  assert.match(event?.metadata.name ?? '', /^p\.[0-9a-f]+$/)
  assert.equal(event?.count, 1)
  await close()
})

test('equal events are one with a count', async () => {
  const { clock, tell, all, close } = await start()
  for (let i = 0; i < 5; i++) {
    tell('BackOff', 'again')
    await clock.advance(1000)
  }
  const found = await all()
  assert.equal(found.length, 1)
  assert.equal(found[0]?.count, 5)
  assert.ok((found[0]?.lastTimestamp ?? '') > (found[0]?.firstTimestamp ?? ''))
  await close()
})

test('many that differ only in their message are combined', async () => {
  const { tell, all, close } = await start()
  for (let i = 0; i < 15; i++) tell('Failed', `attempt ${i}`)
  const found = await all()
  assert.equal(found.length, 10)
  const combined = found.find(({ message }) => message?.startsWith('(combined from similar events): '))
  assert.equal(combined?.count, 6)
  await close()
})

test('an object has a budget of 25 events, and one more each five minutes', async () => {
  const { clock, tell, all, close } = await start()
  for (let i = 0; i < 40; i++) tell(`Reason${i}`, 'x')
  assert.equal((await all()).length, 25)
  await clock.advance(300_000)
  tell('More', 'x')
  tell('TooMany', 'x')
  assert.deepEqual(
    (await all()).filter(({ reason }) => !reason?.startsWith('Reason')).map(({ reason }) => reason),
    ['More'],
  )
  await close()
})
