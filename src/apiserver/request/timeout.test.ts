import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTimeout } from './timeout.ts'

test('durations as Go writes them are taken', () => {
  for (const text of [undefined, '', '0', '30s', '1h2m3.5s', '-1s', '.5m', '100µs']) checkTimeout(text)
})

test('anything else is a bad request that says what is wrong', () => {
  const lead = 'invalid timeout specified in the request URL - time: '
  const refused = { code: 400 }
  assert.throws(() => checkTimeout('invalid'), { ...refused, message: `${lead}invalid duration "invalid"` })
  assert.throws(() => checkTimeout('10'), { ...refused, message: `${lead}missing unit in duration "10"` })
  assert.throws(() => checkTimeout('10d'), { ...refused, message: `${lead}unknown unit "d" in duration "10d"` })
  assert.throws(() => checkTimeout('.s'), { ...refused, message: `${lead}invalid duration ".s"` })
})
