import assert from 'node:assert/strict'
import { test } from 'node:test'
import { truncated } from './subsets.ts'

const addresses = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => ({ ip: `${prefix}.${i}` }))
const sizes = (subsets: ReturnType<typeof truncated>) =>
  subsets?.map((subset) => [subset.addresses?.length ?? 0, subset.notReadyAddresses?.length ?? 0])

test('what fits is left as it is', () => {
  assert.equal(
    truncated([{ addresses: addresses(6, '10.0.0'), notReadyAddresses: addresses(4, '10.0.1') }], 10),
    undefined,
  )
})

test('of too many ready addresses each subset keeps its share, and no other address is kept', () => {
  const subsets = [
    { addresses: addresses(30, '10.0.0'), notReadyAddresses: addresses(5, '10.0.1') },
    { addresses: addresses(10, '10.0.2') },
  ]
  assert.deepEqual(sizes(truncated(subsets, 20)), [
    [15, 0],
    [5, 0],
  ])
})

test('ready addresses are all kept while they fit, and the others share what is left', () => {
  const subsets = [
    { addresses: addresses(4, '10.0.0'), notReadyAddresses: addresses(9, '10.0.1') },
    { addresses: addresses(2, '10.0.2'), notReadyAddresses: addresses(3, '10.0.3') },
  ]
  assert.deepEqual(sizes(truncated(subsets, 10)), [
    [4, 3],
    [2, 1],
  ])
})
