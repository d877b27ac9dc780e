import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { VirtualClock } from './clock.ts'

/** Collects what nothing holds any more. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  // A WeakRef holds what it was made of or asked for until the turn of the event loop has ended.
  await setImmediate()
  gc()
}

/** Sets a timer that uses an object of its own. */
function timerWithObject(clock: VirtualClock, ms: number) {
  const object = { uses: 0 }
  const cancel = clock.after(ms, () => object.uses++)
  return { object: new WeakRef(object), cancel }
}

test('timers fire in the order of their times, then of their making', async () => {
  const clock = new VirtualClock(0)
  const fired: string[] = []
  for (const [name, ms] of Object.entries({ late: 30, first: 10, second: 10, middle: 20 }))
    clock.after(ms, () => fired.push(`${name} at ${clock.now()}`))
  await clock.advance(30)
  assert.deepEqual(fired, ['first at 10', 'second at 10', 'middle at 20', 'late at 30'])
})

test('a timer that is cancelled does not fire, and is not the next one', async () => {
  const clock = new VirtualClock(0)
  const fired: string[] = []
  const cancel = clock.after(10, () => fired.push('cancelled'))
  clock.after(20, () => fired.push('kept'))
  cancel()
  cancel()
  assert.equal(clock.nextTimerMs(), 20)
  await clock.advance(60)
  assert.deepEqual(fired, ['kept'])
  assert.equal(clock.nextTimerMs(), undefined)
})

test('a timer that is cancelled lets go of what it would have used before its time has come', async () => {
  const clock = new VirtualClock(0)
  const { object, cancel } = timerWithObject(clock, 3_600_000)
  await collectGarbage()
  assert.ok(object.deref(), 'a timer that waits holds what it will use')
  cancel()
  await collectGarbage()
  assert.equal(object.deref(), undefined)
  await clock.settle()
})

test('a timer that is cancelled after it has fired is forgotten', async () => {
  const clock = new VirtualClock(0)
  const { object, cancel } = timerWithObject(clock, 10)
  await clock.advance(10)
  assert.equal(object.deref()?.uses, 1)
  cancel()
  await collectGarbage()
  assert.equal(object.deref(), undefined)
  await clock.settle()
})
