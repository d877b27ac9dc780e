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

async function start() {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const server = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    authorizationModes: ['AlwaysAllow'],
    freeze: true,
  })
  const transport = server.transport({ name: 'a', groups: ['system:masters'] })
  const candidate = (identity: string) => {
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
      lead(signal) {
        log.push('leads')
        signal.addEventListener('abort', () => log.push('stops'))
      },
      lost: () => void log.push('lost'),
    })
    return { election, log, cutOff: () => void (cut = true), hang: () => void (hung = true) }
  }
  return { clock, candidate, client: newClient(transport), close: () => server.close() }
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

test('a leader whose renewals hang is at fault 20 s after its lease has ended; who waits is not', async () => {
  const { clock, candidate, close } = await start()
  const [first, second] = [candidate('a'), candidate('b')]
  await clock.advance(3000)
  const [leader, other] = first.election.isLeader() ? [first, second] : [second, first]
  assert.equal(leader.election.fault(), undefined)
  leader.hang()
  await clock.advance(34_000)
  assert.equal(leader.election.fault(), undefined)
  await clock.advance(5000)
  assert.equal(leader.election.fault(), 'failed election to renew leadership on lease l')
  assert.equal(other.election.fault(), undefined)
  await other.election.close()
  await close()
})
