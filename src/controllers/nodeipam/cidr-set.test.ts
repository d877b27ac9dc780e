import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CidrSet } from './cidr-set.ts'

test('ranges are handed out in order, each once, and again when they come back', () => {
  const set = new CidrSet('10.244.0.0/22', 24)
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => set.allocate()),
    ['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '10.244.3.0/24', undefined],
  )
  set.release('10.244.2.0/24')
  assert.equal(set.allocate(), '10.244.2.0/24')
})

test('IPv6 ranges are written short', () => {
  const set = new CidrSet('fd00:10:244::/56', 64)
  set.occupy('fd00:10:244::/64')
  assert.equal(set.allocate(), 'fd00:10:244:1::/64')
})

test('what overlaps a range that somebody has is not handed out', () => {
  const set = new CidrSet('10.0.0.0/22', 24)
  set.occupy('10.0.0.0/23')
  set.occupy('10.0.2.128/25')
  set.occupy('192.168.0.0/16')
  assert.deepEqual([set.allocate(), set.allocate()], ['10.0.3.0/24', undefined])
})

test('no range is handed out twice, whatever comes back when', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 200 }), (actions) => {
      const set = new CidrSet('10.0.0.0/20', 24)
      const held = new Set<string>()
      for (const action of actions) {
        const [first] = held
        if (action < 4 && first !== undefined) {
          held.delete(first)
          set.release(first)
        } else {
          const cidr = set.allocate()
          assert.equal(cidr === undefined, held.size === 16)
          if (cidr === undefined) continue
          assert.ok(!held.has(cidr))
          held.add(cidr)
        }
      }
    }),
  )
})

test('a range that cannot be cut so is refused', () =>
  assert.throws(() => new CidrSet('10.0.0.0/8', 26), /cannot be cut/))
