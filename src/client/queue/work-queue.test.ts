import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { WorkQueue } from './work-queue.ts'

/** A clock of which the time of day can be set back: timers do not mind. */
class SettableClock extends VirtualClock {
  setBackMs = 0

  override now(): number {
    return super.now() - this.setBackMs
  }
}

function make<C extends VirtualClock>(clock: C) {
  const metrics = new Metrics()
  const queue = new WorkQueue({ deps: { clock, random: seededRandom(1), log: silentLogger, metrics }, name: 'q' })
  return { clock, metrics, queue }
}

test('a key that is added several times is worked on once', async () => {
  const { clock, queue } = make(new VirtualClock())
  const seen: string[] = []
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  queue.run(1, async (key) => void seen.push(key))
  await clock.settle()
  assert.deepEqual(seen, ['a', 'b'])
  await queue.close()
})

test('a key is never worked on twice at a time; what is added meanwhile comes again', async () => {
  const { clock, queue } = make(new VirtualClock())
  let working = 0
  let rounds = 0
  queue.run(3, async () => {
    assert.equal(++working, 1)
    if (++rounds === 1) queue.add('a')
    await clock.sleep(100)
    working--
  })
  queue.add('a')
  await clock.advance(1000)
  assert.equal(rounds, 2)
  await queue.close()
})

test('so many keys at a time as there are workers', async () => {
  const { clock, queue } = make(new VirtualClock())
  let working = 0
  let most = 0
  queue.run(4, async () => {
    most = Math.max(most, ++working)
    await clock.sleep(10)
    working--
  })
  for (let i = 0; i < 20; i++) queue.add(String(i))
  await clock.advance(1000)
  assert.equal(most, 4)
  await queue.close()
})

test('a failing key waits 5, 10, 20 … ms, and 5 again once it was forgotten', async () => {
  const { clock, queue } = make(new VirtualClock())
  const times: number[] = []
  const begin = clock.now()
  queue.run(1, async (key) => {
    times.push(clock.now() - begin)
    if (times.length < 5) queue.addRateLimited(key)
    else queue.forget(key)
  })
  queue.add('a')
  await clock.advance(1000)
  assert.deepEqual(times, [0, 5, 15, 35, 75])
  assert.equal(queue.retries('a'), 0)
  await queue.close()
})

test('what work throws is tried again', async () => {
  const { clock, queue } = make(new VirtualClock())
  let attempts = 0
  queue.run(1, async () => {
    if (++attempts < 3) throw new Error('not yet')
  })
  queue.add('a')
  await clock.advance(1000)
  assert.equal(attempts, 3)
  await queue.close()
})

test('of several delays of a key the earliest counts', async () => {
  const { clock, queue } = make(new VirtualClock())
  const times: number[] = []
  const begin = clock.now()
  queue.run(1, async () => void times.push(clock.now() - begin))
  queue.addAfter('a', 500)
  queue.addAfter('a', 100)
  queue.addAfter('a', 300)
  await clock.advance(1000)
  assert.deepEqual(times, [100])
  await queue.close()
})

test('a delay is as long as was asked for, also when the time of day is set back meanwhile', async () => {
  const { clock, queue } = make(new SettableClock())
  let seen = 0
  queue.run(1, async () => void seen++)
  queue.addAfter('a', 5000)
  clock.setBackMs = 3_600_000
  await clock.advance(4990)
  assert.equal(seen, 0)
  await clock.advance(20)
  assert.equal(seen, 1)
  await queue.close()
})

test('retries wait no longer because the time of day was set back', async () => {
  const { clock, queue } = make(new SettableClock())
  let attempts = 0
  queue.run(1, async () => {
    if (++attempts < 4) throw new Error('not yet')
    clock.setBackMs = 3_600_000
    if (attempts < 6) throw new Error('not yet')
  })
  queue.add('a')
  await clock.advance(1000)
  assert.equal(attempts, 6)
  await queue.close()
})

test('a closed queue finishes what was begun and takes no more', async () => {
  const { clock, queue } = make(new VirtualClock())
  let ended = false
  queue.run(1, async () => {
    await clock.sleep(100)
    ended = true
  })
  queue.add('a')
  queue.add('b')
  await clock.settle()
  const closed = queue.close()
  await clock.advance(1000)
  await closed
  assert.ok(ended)
  assert.equal(queue.length, 1)
})

test('metrics have the names that upstream gives them', () => {
  const { metrics, queue } = make(new VirtualClock())
  queue.add('a')
  assert.match(metrics.text(), /workqueue_depth\{name="q"\} 1\n/)
  assert.match(metrics.text(), /workqueue_adds_total\{name="q"\} 1\n/)
})
