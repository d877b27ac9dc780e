import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deepEqual, deepFreeze } from '../schema/values.ts'
import { applyMergePatch } from './merge-patch.ts'

type Values = Readonly<Record<string, unknown>>

const patched = (document: unknown, patch: unknown): unknown =>
  applyMergePatch(deepFreeze(structuredClone(document)), deepFreeze(structuredClone(patch)))

test('the examples of RFC 7386 come out as it says', () => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [document, patch, result] of examples) assert.deepEqual(patched(document, patch), result)
})

test('a patch that is no object is refused', () => {
  for (const patch of [null, 'x', 1, []])
    assert.throws(() => patched({}, patch), { code: 400, message: 'Invalid JSON Patch' })
})

test('what a patch does not change is shared, all of it when it changes nothing', () => {
  const document = deepFreeze({ a: { b: 1 }, c: { d: 1 } })
  assert.equal(applyMergePatch(document, { a: { b: 1 }, x: null }), document)
  assert.equal((applyMergePatch(document, { a: { b: 2 } }) as typeof document).c, document.c)
})

/** The merge patch between two documents without nulls. */
function diff(from: Values, to: Values): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) out[key] = null
  for (const key of Object.keys(to)) {
    const [a, b] = [Object.hasOwn(from, key) ? from[key] : undefined, to[key]]
    if (isMap(a) && isMap(b)) out[key] = diff(a, b)
    else if (!deepEqual(a, b)) out[key] = b
  }
  return out
}

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

const document = fc.letrec<{ map: Values; value: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 3 }), tie('map')),
  map: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value')),
})).map

test('the patch between two documents leads from one to the other', () => {
  fc.assert(fc.property(document, document, (from, to) => assert.ok(deepEqual(patched(from, diff(from, to)), to))))
})
