import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deepClone, deepEqual, deepFreeze } from './values.ts'

test('a clone equals its original and shares nothing with it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = deepClone(deepFreeze(value))
      assert.ok(deepEqual(copy, value))
      assert.equal(JSON.stringify(copy), JSON.stringify(value))
      if (typeof copy === 'object' && copy !== null) assert.ok(!Object.isFrozen(copy))
    }),
  )
})

test('equality is that of JSON', () => {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, inner) =>
      inner && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
        : inner,
    )
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) =>
      assert.equal(deepEqual(a, b), text(a) === text(b)),
    ),
  )
})

test('an undefined property is an absent one, a null is not', () => {
  assert.ok(deepEqual({ a: undefined }, {}))
  assert.ok(deepEqual({}, { a: undefined }))
  assert.ok(!deepEqual({ a: null }, {}))
  assert.ok(!deepEqual({ a: 1 }, { b: 1 }))
})
