import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changed, created } from '../kinds.test-support.ts'

const map = (metadata: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', namespace: 'n', ...metadata },
})
const errorsOf = (metadata: object): string[] => created(map(metadata)).errors

test('names, labels and annotations follow the rules that all kinds share', () => {
  assert.deepEqual(errorsOf({}), [])
  assert.match(errorsOf({ name: 'A' }).join(), /^metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain/)
  assert.match(errorsOf({ labels: { 'a b': 'c' } }).join(), /^metadata.labels: Invalid value: "a b"/)
  assert.match(errorsOf({ labels: { a: 'b c' } }).join(), /^metadata.labels: Invalid value: "b c"/)
  assert.deepEqual(errorsOf({ annotations: { a: 'x'.repeat(256 * 1024) } }), [
    'metadata.annotations: Too long: may not be more than 262144 bytes',
  ])
})

test('only one owner can be the controller', () => {
  const owner = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, controller: true })
  assert.deepEqual(errorsOf({ ownerReferences: [owner('a')] }), [])
  assert.match(
    errorsOf({ ownerReferences: [owner('a'), owner('b')] }).join(),
    /Only one reference can have Controller set to true/,
  )
})

test('what makes an object itself stays', () => {
  const { object } = created(map({}))
  const { errors } = changed(
    object,
    ((draft: { metadata: { uid: string } }) => (draft.metadata.uid = 'other')) as (object: never) => void,
  )
  assert.ok(errors.includes('metadata.uid: Invalid value: "other": field is immutable'), errors.join('\n'))
})

test('an object that is being deleted gets no new finalizers', () => {
  const { object } = created(map({ finalizers: ['example.com/a'] }))
  const going = { ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const { errors } = changed(going, ((draft: { metadata: { finalizers: string[] } }) =>
    draft.metadata.finalizers.push('example.com/b')) as (object: never) => void)
  assert.match(errors.join('\n'), /no new finalizers can be added if the object is being deleted, found new finalizers/)
})
