import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliUnitsOf,
  parseQuantity,
  quantityFormatError,
  subtractQuantities,
  unitsOf,
} from './quantity.ts'

// From upstream's rules: what is written, what is answered.
for (const [text, want] of [
  ['0', '0'],
  ['00', '0'],
  ['0.0', '0'],
  ['1', '1'],
  ['1000', '1k'],
  ['1500m', '1500m'],
  ['1.5', '1500m'],
  ['0.5', '500m'],
  ['0.1', '100m'],
  ['100m', '100m'],
  ['1000m', '1'],
  ['2000m', '2'],
  ['1Gi', '1Gi'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1536Mi', '1536Mi'],
  ['512Ki', '512Ki'],
  ['0.5Ki', '512'],
  ['100Ki', '100Ki'],
  ['1e3', '1e3'],
  ['1E3', '1E3'],
  ['1e2', '100'],
  ['1000e3', '1e6'],
  ['123456789', '123456789'],
  ['1e-3', '1e-3'],
  ['0.001', '1m'],
  ['1.500', '1.500'],
  ['+1', '+1'],
  ['-1', '-1'],
  ['-1.5', '-1500m'],
  ['1u', '1u'],
  ['1n', '1n'],
  ['0.1n', '1n'],
  ['1E', '1E'],
  ['10M', '10M'],
  ['1000k', '1M'],
  ['.5', '500m'],
  ['5.', '5.'],
  ['8Ki', '8Ki'],
  ['8192Ki', '8Mi'],
  ['9223372036854775807', '9223372036854775807'],
  ['100Ei', '9223372036854775807'],
  ['0.0001Ki', '102400u'],
] as const) {
  test(`the quantity ${text} is answered as ${want}`, () => assert.equal(canonicalQuantity(text), want))
}

for (const text of ['', 'abc', '1x', '1 Gi', '1ki', '0x10', '1e', '--1', '1Gib', '1.2.3']) {
  test(`${JSON.stringify(text)} is no quantity`, () =>
    assert.throws(() => parseQuantity(text), /^Error: (quantities must match|unable to parse)/))
}

test('the error names the pattern', () => assert.throws(() => parseQuantity('abc'), { message: quantityFormatError }))

test('rounding is upwards, whatever the unit', () => {
  assert.equal(unitsOf(parseQuantity('100m')), 1)
  assert.equal(unitsOf(parseQuantity('1500m')), 2)
  assert.equal(milliUnitsOf(parseQuantity('1u')), 1)
  assert.equal(unitsOf(parseQuantity('1Gi')), 1073741824)
})

test('a sum takes the format of the first that is not zero', () => {
  assert.equal(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Gi'))), '1Gi')
  assert.equal(formatQuantity(addQuantities(parseQuantity('1Gi'), parseQuantity('1G'))), '2073741824')
  assert.equal(formatQuantity(subtractQuantities(parseQuantity('2Gi'), parseQuantity('1Gi'))), '1Gi')
})

const amounts = fc.record({
  nano: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  format: fc.constantFrom('DecimalSI' as const, 'BinarySI' as const, 'DecimalExponent' as const),
})

test('formatting keeps the amount', () => {
  fc.assert(fc.property(amounts, (amount) => assert.equal(parseQuantity(formatQuantity(amount)).nano, amount.nano)))
})

test('the order of quantities is that of their amounts', () => {
  fc.assert(
    fc.property(amounts, amounts, (a, b) =>
      assert.equal(Math.sign(compareQuantities(a, b)), a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0),
    ),
  )
})
