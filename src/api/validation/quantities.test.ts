import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareAmounts, isNegativeAmount, isWholeAmount, nanos, roundAmounts, wholeUnits } from './quantities.ts'

test('amounts compare by what they mean, not by how they are written', () => {
  assert.equal(compareAmounts('1000m', '1'), 0)
  assert.ok(compareAmounts('1Ki', '1k') > 0)
  assert.ok(compareAmounts('999m', '1') < 0)
  assert.ok(compareAmounts('-1', undefined) < 0)
  assert.equal(nanos('1.5'), 1_500_000_000n)
})

test('parts of units count up', () => {
  assert.equal(wholeUnits('1500m'), 2n)
  assert.equal(wholeUnits('1Gi'), 1_073_741_824n)
  assert.ok(isWholeAmount('2'))
  assert.ok(!isWholeAmount('2500m'))
  assert.ok(isNegativeAmount('-1m'))
})

test('objects keep three decimals', () => {
  const amounts = { cpu: '100u', memory: '1Gi' }
  roundAmounts(amounts)
  assert.deepEqual(amounts, { cpu: '1m', memory: '1Gi' })
})
