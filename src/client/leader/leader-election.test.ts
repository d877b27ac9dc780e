import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leases } from '../../api/generated/resources.ts'
import { startApiServer } from '../../apiserver/apiserver.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { newClient } from '../client.ts'
import type { Transport } from '../transport.ts'
import { standForElection } from './leader-election.ts'

const lease = { namespace: 'kube-system', name: 'l' }

/** A clock of which the time of day can be set: timers do not mind. */
class SettableClock extends VirtualClock {
  offsetMs = 0

  override now(): number {
    return super.now() + this.offsetMs
  }
}

async function start() {
  const clock = new SettableClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const server = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    authorizationModes: ['AlwaysAllow'],
    freeze: true,
  })
  const transport = server.transport({ name: 'a', groups: ['system:masters'] })
  const candidate = (
    identity: string,
    leads: () => void | Promise<void> = () => {},
    timing: { renewDeadlineMs?: number } = {},
  ) => {
    const log: string[] = []
    let cut = false
    let hung = false
    const carried: Transport = {
      ...transport,
      send: (request, signal) =>
        hung ? new Promise(() => {}) : cut ? Promise.reject(new Error('unreachable')) : transport.send(request, signal),
      watch: (request, signal) => transport.watch(request, signal),
      close: () => transport.close(),
    }
    const election = standForElection({
      deps,
      client: newClient(carried),
      lease,
      identity,
      ...timing,
      lead(signal) {
        log.push('leads')
        signal.addEventListener('abort', () => log.push('stops'))
        return leads()
      },
      lost: () => void log.push('lost'),
    })
    return {
      election,
      log,
      cutOff: () => void (cut = true),
      hang: () => void (hung = true),
      recover: () => void (hung = false),
    }
  }
  const setTimeOfDay = (byMs: number) => void (clock.offsetMs += byMs)
  return { clock, setTimeOfDay, candidate, client: newClient(transport), close: () => server.close() }
}

test('one of two leads, and the other takes over when it withdraws, without waiting for the lease to expire', async () => {
  const { clock, candidate, client, close } = await start()
  const a = candidate('a')
  await clock.settle()
  const b = candidate('b')
  await clock.advance(20_000)
  assert.deepEqual([a.log, b.log], [['leads'], []])
  assert.equal((await client.get(leases, lease)).spec?.holderIdentity, 'a')
  await a.election.close()
  await clock.advance(5_000)
  assert.deepEqual([a.log, b.log], [['leads', 'stops'], ['leads']])
  assert.equal((await client.get(leases, lease)).spec?.leaseTransitions, 1)
  await b.election.close()
  await close()
})

test('a leader that is cut off stops before the other begins', async () => {
  const { clock, candidate, close } = await start()
  const a = candidate('a')
  await clock.settle()
  const b = candidate('b')
  await clock.advance(6_000)
  a.cutOff()
  for (let i = 0; i < 40; i++) {
    await clock.advance(1000)
    assert.ok(!(a.election.isLeader() && b.election.isLeader()))
  }
  assert.deepEqual(a.log, ['leads', 'stops', 'lost'])
  assert.deepEqual(b.log, ['leads'])
  await b.election.close()
  await close()
})

test('a leader whose renewals hang stops before the other begins', async () => {
  const { clock, candidate, close } = await start()
  const a = candidate('a')
  await clock.settle()
  const b = candidate('b')
  await clock.advance(6_000)
  a.hang()
  for (let i = 0; i < 40; i++) {
    await clock.advance(1000)
    assert.ok(!(a.election.isLeader() && b.election.isLeader()))
  }
  assert.deepEqual(a.log, ['leads', 'stops', 'lost'])
  assert.deepEqual(b.log, ['leads'])
  await b.election.close()
  await close()
})

test('a candidate whose request hangs tries again', async () => {
  const { clock, candidate, close } = await start()
  const a = candidate('a')
  a.hang()
  await clock.advance(3_000)
  a.recover()
  await clock.advance(10_000)
  assert.deepEqual(a.log, ['leads'])
  await a.election.close()
  await close()
})

test('who leads is not decided by the time of day: it may be set while somebody leads', async () => {
  const { clock, candidate, close, setTimeOfDay } = await start()
  const a = candidate('a')
  await clock.settle()
  const b = candidate('b')
  await clock.advance(6_000)
  setTimeOfDay(3_600_000)
  await clock.advance(6_000)
  assert.deepEqual([a.log, b.log], [['leads'], []])
  setTimeOfDay(-3_600_000)
  a.cutOff()
  await clock.advance(40_000)
  assert.deepEqual([a.log, b.log], [['leads', 'stops', 'lost'], ['leads']])
  await b.election.close()
  await close()
})

test('a leader that finds another one in its Lease stops at once', async () => {
  const { clock, candidate, client, close } = await start()
  const a = candidate('a')
  await clock.advance(3_000)
  const taken = await client.get(leases, lease)
  await client.update(leases, { ...taken, spec: { ...taken.spec, holderIdentity: 'c' } })
  await clock.advance(4_000)
  assert.deepEqual(a.log, ['leads', 'stops', 'lost'])
  await close()
})

test('who withdraws in the middle of a renewal gives the Lease back all the same', async () => {
  const { clock, candidate, client, close } = await start()
  const a = candidate('a')
  await clock.settle()
  a.hang()
  await clock.advance(2_500)
  const closed = a.election.close()
  a.recover()
  await clock.settle()
  await closed
  assert.equal((await client.get(leases, lease)).spec?.holderIdentity, '')
  await close()
})

test('what runs is told of the loss even if it takes long to end, and a leader that fails gives up', async () => {
  const { clock, candidate, close } = await start()
  const slow = candidate('slow', () => new Promise(() => {}))
  await clock.advance(3_000)
  slow.cutOff()
  await clock.advance(11_000)
  assert.deepEqual(slow.log, ['leads', 'stops', 'lost'])
  const broken = candidate('broken', () => Promise.reject(new Error('broken')))
  await clock.advance(20_000)
  assert.deepEqual(broken.log, ['leads', 'stops', 'lost'])
  await close()
})

test('a leader that is patient beyond the end of its Lease is at fault 20 s later; who waits is not', async () => {
  const { clock, candidate, close } = await start()
  const leader = candidate('a', undefined, { renewDeadlineMs: 120_000 })
  await clock.settle()
  const other = candidate('b')
  await clock.advance(3000)
  leader.cutOff()
  await clock.advance(34_000)
  assert.equal(leader.election.fault(), undefined)
  await clock.advance(5000)
  assert.equal(leader.election.fault(), 'failed election to renew leadership on lease l')
  assert.equal(other.election.fault(), undefined)
  await other.election.close()
  await close()
})
