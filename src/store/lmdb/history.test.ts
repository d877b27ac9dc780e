import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History } from './history.ts'

const minuteMs = 60_000

/** Notes changes one after the other, each replacing the one before; `everyMs` apart. */
function note(history: History, from: number, count: number, everyMs: number): void {
  for (let i = 0; i < count; i++)
    history.add(from + i, from + i - 1, false, { bytes: 100, nowMs: (from + i) * everyMs })
}

test('what a quiet store writes is compacted in strides, so that most commits touch one end of the log only', () => {
  const history = new History(0)
  note(history, 1, 190, 10_000)
  assert.ok(!history.due, 'half an hour of renewals is too little')
  note(history, 191, 100, 10_000)
  assert.ok(history.due)
  const step = history.plan(1000, 290)
  assert.ok(step.obsolete.length >= 200)
  history.apply(step)
  assert.ok(!history.due)
  assert.ok(
    history.compacted >= 200 && history.compacted <= 290 - (5 * minuteMs) / 10_000,
    'the last five minutes stay',
  )
})

test('a busy store keeps five minutes, and a store that is asked to compact does so at once', () => {
  const busy = new History(0)
  note(busy, 1, 40_000, 10)
  assert.ok(busy.due)
  busy.apply(busy.plan(50_000, 40_000))
  assert.ok(busy.compacted > 0 && busy.compacted <= 40_000 - (5 * minuteMs) / 10)
  const asked = new History(0)
  note(asked, 1, 10, 10)
  asked.compact(5)
  asked.apply(asked.plan(100, 10))
  assert.equal(asked.compacted, 5)
})
