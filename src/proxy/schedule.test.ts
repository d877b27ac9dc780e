import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../base/clock.ts'
import { SyncSchedule } from './schedule.ts'

function start(outcomes: boolean[] = []) {
  const clock = new VirtualClock(0)
  const begun: number[] = []
  const schedule = new SyncSchedule({
    clock,
    minPeriodMs: 100,
    retryMaxMs: 3000,
    async sync() {
      begun.push(clock.now())
      await clock.sleep(10)
      return outcomes.shift() ?? true
    },
  })
  return { clock, begun, schedule }
}

test('the first request is served at once, those that follow together after the period', async () => {
  const { clock, begun, schedule } = start()
  schedule.request()
  await clock.advance(5)
  schedule.request()
  schedule.request()
  await clock.advance(1000)
  assert.deepEqual(begun, [0, 100])
})

test('a failed sync is tried again, later and later, and succeeds once', async () => {
  const { clock, begun, schedule } = start([false, false, false, false])
  schedule.request()
  await clock.advance(60_000)
  assert.deepEqual(begun, [0, 1010, 3020, 6030, 9040])
})

test('other work runs beside no sync', async () => {
  const { clock, begun, schedule } = start()
  const order: string[] = []
  schedule.request()
  await clock.advance(1)
  const done = schedule.exclusive(async () => {
    order.push(`work at ${clock.now()}`)
    schedule.request()
    await clock.sleep(500)
    order.push(`done at ${clock.now()}`)
  })
  await clock.advance(1000)
  await done
  assert.deepEqual(
    [order, begun],
    [
      ['work at 10', 'done at 510'],
      [0, 510],
    ],
  )
})

test('settled waits for what was requested; closing begins nothing more', async () => {
  const { clock, begun, schedule } = start()
  await schedule.settled()
  schedule.request()
  let settled = false
  const waiting = schedule.settled().then(() => (settled = true))
  await clock.advance(5)
  assert.equal(settled, false)
  await clock.advance(10)
  await waiting
  schedule.request()
  await schedule.close()
  await clock.advance(1000)
  assert.deepEqual(begun, [0])
})
