import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '../errors/api-error.ts'
import { deepFreeze } from '../schema/values.ts'
import { applyJsonPatch } from './json-patch.ts'

const patched = (document: unknown, ...patch: object[]): unknown =>
  applyJsonPatch(deepFreeze(structuredClone(document)), patch)

test('the operations of RFC 6902 do what it says', () => {
  assert.deepEqual(patched({ a: 1 }, { op: 'add', path: '/b', value: 2 }), { a: 1, b: 2 })
  assert.deepEqual(
    patched({ a: [1, 3] }, { op: 'add', path: '/a/1', value: 2 }, { op: 'add', path: '/a/-', value: 4 }),
    { a: [1, 2, 3, 4] },
  )
  assert.deepEqual(patched({ a: { b: 1, c: 2 } }, { op: 'remove', path: '/a/b' }), { a: { c: 2 } })
  assert.deepEqual(patched({ a: [1, 2, 3] }, { op: 'remove', path: '/a/1' }), { a: [1, 3] })
  assert.deepEqual(patched({ a: [1, 2] }, { op: 'replace', path: '/a/0', value: { x: null } }), { a: [{ x: null }, 2] })
  assert.deepEqual(patched({ a: { b: 1 }, c: {} }, { op: 'move', from: '/a/b', path: '/c/d' }), { a: {}, c: { d: 1 } })
  assert.deepEqual(patched({ a: [1] }, { op: 'copy', from: '/a', path: '/b' }, { op: 'add', path: '/b/-', value: 2 }), {
    a: [1],
    b: [1, 2],
  })
  assert.deepEqual(patched({ a: { b: [1, null] } }, { op: 'test', path: '/a', value: { b: [1, null] } }), {
    a: { b: [1, null] },
  })
  assert.deepEqual(
    patched({ 'a/b': 1, 'm~n': 2 }, { op: 'replace', path: '/a~1b', value: 3 }, { op: 'remove', path: '/m~0n' }),
    { 'a/b': 3 },
  )
})

test('what upstream allows beyond it is allowed', () => {
  assert.deepEqual(patched({ a: [1, 2, 3] }, { op: 'remove', path: '/a/-1' }), { a: [1, 2] })
  assert.deepEqual(patched({}, { op: 'replace', path: '/a', value: 1 }), { a: 1 })
  assert.deepEqual(patched({ a: 1 }, { op: 'add', path: '/b' }), { a: 1, b: null })
  assert.deepEqual(patched({ a: 1 }, { op: 'test', path: '/none' }), { a: 1 })
  assert.deepEqual(patched({ a: 1 }, { op: 'replace', path: '', value: { b: 1 } }), { b: 1 })
  assert.deepEqual(applyJsonPatch({ a: 1 }, null), { a: 1 })
})

test('a patch that cannot be applied is a 422 that does not say why, as upstream answers', () => {
  const bad = [
    { op: 'remove', path: '/none' },
    { op: 'add', path: '/x/y', value: 1 },
    { op: 'add', path: '', value: {} },
    { op: 'add', value: 1 },
    { op: 'add', path: '/list/7', value: 1 },
    { op: 'add', path: '/list/x', value: 1 },
    { op: 'replace', path: '/list/2', value: 1 },
    { op: 'test', path: '/a', value: '1' },
    { op: 'move', path: '/b', from: '/none' },
    { op: 'merge', path: '/a' },
    { path: '/a' },
  ]
  for (const operation of bad) {
    assert.throws(
      () => patched({ a: 1, list: [1, 2] }, operation),
      (error) =>
        error instanceof ApiError &&
        error.code === 422 &&
        error.reason === 'Invalid' &&
        error.message === 'the server rejected our request due to an error in our request',
      JSON.stringify(operation),
    )
  }
})

test('something that is no patch is a 400, too many operations a 413', () => {
  for (const patch of ['x', 1, true, { op: 'add' }, [1]]) assert.throws(() => applyJsonPatch({}, patch), { code: 400 })
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '' }))
  assert.throws(() => applyJsonPatch({}, many), {
    code: 413,
    message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  })
})

test('copies together may not grow beyond 3 MiB', () => {
  const copies = Array.from({ length: 4 }, (_, i) => ({ op: 'copy', from: '/a', path: `/b${i}` }))
  assert.throws(() => patched({ a: 'x'.repeat(1024 * 1024) }, ...copies), { code: 422 })
})

test('what a patch does not touch is shared', () => {
  const document = deepFreeze({ a: { b: { c: 1 } }, d: { e: 1 } })
  const result = applyJsonPatch(document, [{ op: 'add', path: '/a/x', value: 1 }]) as typeof document
  assert.equal(result.d, document.d)
  assert.equal(result.a.b, document.a.b)
})

test('a key of any name is only a key', () => {
  const result = patched({}, { op: 'add', path: '/__proto__', value: { polluted: true } }) as object
  assert.deepEqual(Object.keys(result), ['__proto__'])
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
})

test('ten thousand operations on one map take no longer than they should', () => {
  const operations = Array.from({ length: 10_000 }, (_, i) => ({ op: 'add', path: `/data/k${i}`, value: 'v' }))
  const started = process.cpuUsage().user
  assert.equal(Object.keys((patched({ data: {} }, ...operations) as { data: object }).data).length, 10_000)
  assert.ok(process.cpuUsage().user - started < 2_000_000)
})

test('removing what was added gives the document of before', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (document, key, value) => {
      if (Object.hasOwn(document, key)) return
      const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      assert.deepEqual(
        {
          ...(patched(
            document,
            { op: 'add', path, value },
            { op: 'test', path, value },
            { op: 'remove', path },
          ) as object),
        },
        { ...document },
      )
    }),
  )
})
