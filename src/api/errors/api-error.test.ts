import assert from 'node:assert/strict'
import { test } from 'node:test'
import { field, FieldErrors } from '../validation/field.ts'
import { invalid } from './api-error.ts'

test('what is found twice is told once, and counts twice', () => {
  const errors = new FieldErrors()
  errors.required(field('spec', 'a'))
  errors.required(field('spec', 'a'))
  const { status } = invalid('apps', 'Deployment', 'web', errors)
  assert.equal(status.message, 'Deployment.apps "web" is invalid: spec.a: Required value')
  assert.equal(status.details?.causes?.length, 2)
  errors.required(field('spec', 'b'))
  assert.equal(
    invalid('', 'Pod', 'web', errors).message,
    'Pod "web" is invalid: [spec.a: Required value, spec.b: Required value]',
  )
})
