import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deepClone, deepEqual, deepFreeze, shareEqual } from './values.ts'

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

const nested = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(0, 1, 'x', true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'toString'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

test('sharing keeps what is new as it is, and gives the old parts where they are equal', () => {
  fc.assert(
    fc.property(nested, nested, (old, now) => {
      assert.deepEqual(shareEqual(deepFreeze(old), deepFreeze(now)), now)
      const again = shareEqual({ same: old, other: now }, { same: structuredClone(old), other: [now] })
      assert.equal(again.same, old)
      assert.deepEqual(again.other, [now])
    }),
  )
  const old = { spec: { a: [1, { b: 2 }] }, status: { c: 3 } }
  const now = shareEqual(old, { spec: { a: [1, { b: 2 }] }, status: { c: 4 } })
  assert.equal(now.spec, old.spec)
  assert.notEqual(now.status, old.status)
  assert.equal(shareEqual(old, structuredClone(old)), old)
  const strange = JSON.parse('{"__proto__":{},"a":{"b":1}}') as { a: object }
  assert.equal(JSON.stringify(shareEqual({ a: { b: 1 } }, strange)), '{"__proto__":{},"a":{"b":1}}')
})
