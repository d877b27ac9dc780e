import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, kindOf } from '../kinds.test-support.ts'
import type { CustomResourceDefinition } from '../generated/types/apiextensions-v1.ts'

const definition = (schema: object, more: object = {}): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'foos.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'foos', kind: 'Foo' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    ...more,
  },
})

test('names follow from the kind, and the storage version is remembered', () => {
  const { object, errors } = created<CustomResourceDefinition>(definition({ type: 'object' }))
  assert.deepEqual(errors, [])
  assert.deepEqual(object.spec.names, { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' })
  assert.deepEqual(object.status?.storedVersions, ['v1'])
  assert.deepEqual(object.spec.conversion, { strategy: 'None' })
})

test('a schema tells the type of every field, and logic only narrows', () => {
  const root = 'spec.validation.openAPIV3Schema'
  const errorsOf = (properties: object) => created(definition({ type: 'object', properties })).errors
  assert.deepEqual(errorsOf({ a: {} }), [
    `${root}.properties[a].type: Required value: must not be empty for specified object fields`,
  ])
  assert.deepEqual(errorsOf({ a: { type: 'array' } }), [
    `${root}.properties[a].items: Required value: must be specified`,
  ])
  assert.deepEqual(errorsOf({ a: { type: 'string', anyOf: [{ type: 'string' }] } }), [
    `${root}.properties[a].anyOf[0].type: Forbidden: must be empty to be structural`,
  ])
  assert.deepEqual(
    errorsOf({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
    [],
  )
})

test('defaults are what the schema accepts', () => {
  const { errors } = created(
    definition({
      type: 'object',
      properties: { a: { type: 'integer', default: 'x' }, b: { type: 'object', default: { c: 1 } } },
    }),
  )
  assert.deepEqual(errors.map((text) => text.slice(0, text.indexOf(':'))).sort(), [
    'spec.validation.openAPIV3Schema.properties[a].default',
    'spec.validation.openAPIV3Schema.properties[b].default',
  ])
})

test('exactly one version is the one to store', () => {
  const version = (name: string) => ({
    name,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object' } },
  })
  const { errors } = created(definition({}, { versions: [version('v1'), version('v2')] }))
  assert.ok(
    errors.some(
      (text) =>
        text.startsWith('spec.versions: Invalid value') &&
        text.endsWith('must have exactly one version marked as storage version'),
    ),
  )
})

test('a map that is sent empty is no new generation', () => {
  const { object } = created<CustomResourceDefinition>(definition({ type: 'object', required: ['a'] }))
  const generation = kindOf(object).behaviour.generation as (object: object, old: object) => boolean
  const sent = (schema: object) => created(definition(schema)).object
  assert.equal(generation(sent({ type: 'object', required: ['a'], properties: {} }), object), false)
  assert.equal(generation(sent({ type: 'object', required: ['b'] }), object), true)
})
