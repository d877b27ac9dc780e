import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messagesOf } from './event-socket.ts'

test('a batch of lines is a message each', () => {
  assert.deepEqual(messagesOf(Buffer.from('{"a":1}\n{"b":2}\n'), true).map(String), ['{"a":1}\n', '{"b":2}\n'])
})

test('frames are messages without their lengths', () => {
  const frames = Buffer.concat([
    Buffer.from([0, 0, 0, 2]),
    Buffer.from('ab'),
    Buffer.from([0, 0, 0, 1]),
    Buffer.from('c'),
  ])
  assert.deepEqual(messagesOf(frames, false).map(String), ['ab', 'c'])
})
