import assert from 'node:assert/strict'
import { test } from 'node:test'
import { field, nowhere } from './field.ts'

test('a path is written from the root; what is of no field is in brackets', () => {
  assert.equal(field('spec', 'ports').index(1).child('nodePort').toString(), 'spec.ports[1].nodePort')
  assert.equal(nowhere().toString(), '[]')
})
