import assert from 'node:assert/strict'
import { test } from 'node:test'
import { field, FieldErrors } from '../validation/field.ts'
import { managerOf, validateFieldManager } from './field-manager.ts'

test('the manager is the parameter, else the start of the user agent', () => {
  assert.equal(managerOf('mine', 'kubectl/v1.35.0 (linux/amd64)'), 'mine')
  assert.equal(managerOf('', 'kubectl/v1.35.0 (linux/amd64)'), 'kubectl')
  assert.equal(managerOf('', 'Mozilla 5\u0007/x'), 'Mozilla 5')
  assert.equal(managerOf('', ''), 'unknown')
  assert.equal(Buffer.byteLength(managerOf('', 'ü'.repeat(200))), 128)
})

const problems = (check: (errors: FieldErrors) => void): string[] => {
  const errors = new FieldErrors()
  check(errors)
  return errors.list.map(({ field: path, message }) => `${path}: ${message}`)
}

test('names of managers are short and printable', () => {
  const of = (name: string) => problems((errors) => validateFieldManager(name, errors, field('fieldManager')))
  assert.deepEqual(of('kubectl create ü'), [])
  assert.deepEqual(of('m'.repeat(129)), ['fieldManager: Too long: may not be more than 128 bytes'])
  assert.deepEqual(of('a\nb'), ['fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)'])
})
