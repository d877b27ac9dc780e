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
  const make = () => new Uint8Array([++made])
  assert.equal(kept.of(object, protobuf, make)[0], 1)
  assert.equal(kept.of(object, other, make)[0], 2)
  assert.equal(kept.of(object, protobuf, make)[0], 1)
  assert.equal(kept.of(newObject(), protobuf, make)[0], 3)
})

test('what nobody used for two generations goes, what is used stays', () => {
  const kept = new KeptForms(100)
  const [used, unused] = [newObject(), newObject()]
  const make = () => new Uint8Array(40)
  kept.of(used, protobuf, make)
  kept.of(unused, protobuf, make)
  for (let i = 0; i < 10; i++) {
    kept.of(newObject(), protobuf, make)
    kept.of(used, protobuf, make)
  }
  assert.ok(used.forms?.bytes)
  assert.equal(unused.forms?.bytes, undefined)
})

test('the bytes held never exceed two generations', () => {
  const kept = new KeptForms(1000)
  const objects = Array.from({ length: 100 }, newObject)
  for (let round = 0; round < 3; round++) for (const object of objects) kept.of(object, protobuf, () => new Uint8Array(100))
  const held = objects.reduce((sum, { forms }) => sum + (forms?.bytes?.byteLength ?? 0), 0)
  assert.ok(held > 0 && held <= 2000, String(held))
})
