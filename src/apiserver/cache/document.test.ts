import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { Document } from './document.ts'

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'größer' } } as Frozen<KubernetesObject>
const json = JSON.stringify(object)

test('bytes after a head are the bytes, in the memory that was given out', () => {
  const document = Document.ofObject(object)
  const memory = document.bytesAfter(10)
  assert.equal(memory.toString('utf8', 10), json)
  memory.write('0123456789')
  assert.equal(Buffer.from(document.bytes).toString(), json)
  assert.equal(document.bytes.buffer, memory.buffer)
})

test('bytes after a head are a copy when there are bytes already: whoever asks first may have written to its own', () => {
  const document = Document.ofObject(object)
  const first = document.bytesAfter(4)
  const second = document.bytesAfter(8)
  assert.notEqual(second.buffer, first.buffer)
  assert.equal(second.toString('utf8', 8), json)
})

test('an object that was given out is the same one for who asks again, after the document rests', () => {
  const document = Document.ofBytes(Buffer.from(json), object)
  assert.equal(document.object, object)
  document.rest()
  assert.equal(document.object, object)
})

test('an object that nobody was given is let go', () => {
  const document = Document.ofBytes(Buffer.from(json), object)
  assert.equal(document.objectAtHand, object)
  document.rest()
  assert.equal(document.objectAtHand, undefined)
  assert.deepEqual(document.object, object)
})

test('a document without bytes keeps its object', () => {
  const document = Document.ofObject(object)
  document.rest()
  assert.equal(document.objectAtHand, object)
})
