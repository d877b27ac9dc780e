import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CachedObject } from './cache.ts'
import { KeptForms } from './kept-forms.ts'

const protobuf = {}
const other = {}
const newObject = () => ({ forms: undefined }) as CachedObject

test('a form is made once while it is in use, each for itself', () => {
  const kept = new KeptForms(100)
  const object = newObject()
  let made = 0
  const make = () => ({ bytes: new Uint8Array([++made]) })
  assert.equal(kept.of(object, protobuf, 0, make)[0], 1)
  assert.equal(kept.of(object, other, 0, make)[0], 2)
  assert.equal(kept.of(object, protobuf, 0, make)[0], 1)
  assert.equal(kept.of(newObject(), protobuf, 0, make)[0], 3)
})

test('what nobody used for two generations goes, what is used stays', () => {
  const kept = new KeptForms(100)
  const [used, unused] = [newObject(), newObject()]
  const make = () => ({ bytes: new Uint8Array(40) })
  kept.of(used, protobuf, 0, make)
  kept.of(unused, protobuf, 0, make)
  for (let i = 0; i < 10; i++) {
    kept.of(newObject(), protobuf, 0, make)
    kept.of(used, protobuf, 0, make)
  }
  assert.ok(used.forms?.bytes)
  assert.equal(unused.forms?.bytes, undefined)
})

test('the bytes held never exceed two generations', () => {
  const kept = new KeptForms(1000)
  const objects = Array.from({ length: 100 }, newObject)
  for (let round = 0; round < 3; round++)
    for (const object of objects) kept.of(object, protobuf, 0, () => ({ bytes: new Uint8Array(100) }))
  const held = objects.reduce((sum, { forms }) => sum + (forms?.bytes?.byteLength ?? 0), 0)
  assert.ok(held > 0 && held <= 2000, String(held))
})

test('a form that tells an age is made again when that is over, or has not begun', () => {
  const kept = new KeptForms(100)
  const object = newObject()
  let made = 0
  const at = (nowMs: number) =>
    kept.of(object, protobuf, nowMs, () => ({ bytes: new Uint8Array([++made]), untilMs: nowMs + 10 }))[0]
  assert.deepEqual([at(100), at(109), at(110), at(105), at(106)], [1, 1, 2, 3, 3])
})
