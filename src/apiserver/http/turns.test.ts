import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realClock } from '../../base/clock.ts'
import { Turns } from './turns.ts'

const nextTurn = () => realClock.yield()

test('what fits into a turn begins at once', () => {
  const turns = new Turns(realClock, 100)
  const begun: string[] = []
  turns.enter(60, () => begun.push('a'))
  turns.enter(60, () => begun.push('b'))
  assert.deepEqual(begun, ['a', 'b'])
})

test('the rest begins in later turns, a portion in each, in the order of arrival', async () => {
  const turns = new Turns(realClock, 100)
  const begun: number[] = []
  for (let i = 0; i < 5; i++) turns.enter(50, () => begun.push(i))
  assert.deepEqual(begun, [0, 1])
  await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3])
  turns.enter(50, () => begun.push(5))
  assert.deepEqual(begun, [0, 1, 2, 3], 'nobody overtakes those who wait')
  await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5])
})

test('a body larger than a portion has a turn of its own', async () => {
  const turns = new Turns(realClock, 100)
  const begun: string[] = []
  turns.enter(1000, () => begun.push('large'))
  turns.enter(1, () => begun.push('small'))
  assert.deepEqual(begun, ['large'])
  await nextTurn()
  assert.deepEqual(begun, ['large', 'small'])
})

test('a quiet turn forgets what the last one let in', async () => {
  const turns = new Turns(realClock, 100)
  turns.enter(100, () => {})
  await nextTurn()
  await nextTurn()
  let begun = false
  turns.enter(100, () => (begun = true))
  assert.ok(begun)
})

test('while connections are set up, less is let in, but something in each turn', async () => {
  const turns = new Turns(realClock, 160)
  const begun: number[] = []
  turns.arrival()
  for (let i = 0; i < 4; i++) turns.enter(20, () => begun.push(i))
  assert.deepEqual(begun, [0])
  await nextTurn()
  assert.deepEqual(begun, [0, 1])
  await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3], 'nobody has come for two turns')
})
