import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldErrors } from '../validation/field.ts'
import { Correlated } from './correlated.ts'
import { fillDefaults } from './default-values.ts'
import type { JsonObject, JsonSchema } from './json-schema.ts'
import { validateListTypes } from './list-types.ts'
import { pruned } from './prune.ts'
import { checkRules } from './check-rules.ts'
import { validateRules } from './rules.ts'
import { validateValue } from './value-validator.ts'
import { FieldPath } from '../validation/field.ts'

const root = (spec: JsonSchema): JsonSchema => ({ type: 'object', properties: { spec } })
const object = (spec: unknown): JsonObject => ({
  apiVersion: 'example.test/v1',
  kind: 'Widget',
  metadata: { name: 'w' },
  spec,
})

function problems(spec: JsonSchema, value: unknown, old?: unknown): string[] {
  const errors = new FieldErrors()
  const schema = root(spec)
  validateValue(schema, object(value), {
    path: '',
    old: old === undefined ? undefined : new Correlated(object(value), object(old), schema),
    errors,
  })
  return errors.list.map(({ field, message }) => `${field}: ${message}`)
}

test('pruning leaves out what no schema names, keeps what is to be preserved, and says what it was', () => {
  const schema = root({
    type: 'object',
    properties: {
      a: { type: 'string' },
      list: { type: 'array', items: { type: 'object', properties: { k: { type: 'string' } } } },
      free: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { known: { type: 'object', properties: {} } },
      },
      map: { type: 'object', additionalProperties: { type: 'object', properties: {} } },
      gone: { type: 'string' },
      kept: { type: 'string', nullable: true },
    },
  })
  const unknown: string[] = []
  const input = {
    ...object({
      a: 1,
      b: 2,
      list: [{ k: 'x', l: 1 }],
      free: { any: { thing: 1 }, known: { not: 1 } },
      map: { m: { x: 1 } },
      gone: null,
      kept: null,
    }),
    other: 1,
    metadata: { name: 'w', nonsense: 1 },
  }
  assert.deepEqual(
    pruned(schema, input, unknown),
    object({ a: 1, list: [{ k: 'x' }], free: { any: { thing: 1 }, known: {} }, map: { m: {} }, kept: null }),
  )
  assert.deepEqual(unknown, [
    'metadata.nonsense',
    'other',
    'spec.b',
    'spec.free.known.not',
    'spec.list[0].l',
    'spec.map.m.x',
  ])
})

test('a schema that says nothing of the metadata takes nothing of it away', () => {
  const unknown: string[] = []
  const input = object({})
  assert.deepEqual(
    pruned(
      { type: 'object', properties: { metadata: { type: 'object' }, spec: { type: 'object', properties: {} } } },
      input,
      unknown,
    ),
    input,
  )
  assert.deepEqual(unknown, [])
})

test('defaults fill what is absent, and nulls that are not allowed, where the parent is there', () => {
  const schema = root({
    type: 'object',
    default: {},
    properties: {
      n: { type: 'integer', default: 1 },
      deep: { type: 'object', properties: { s: { type: 'string', default: 'x' } } },
      list: { type: 'array', items: { type: 'object', properties: { p: { type: 'string', default: 'TCP' } } } },
    },
  })
  const absent: JsonObject = {}
  fillDefaults(schema, absent)
  assert.deepEqual(absent, { spec: { n: 1 } })
  const some = { spec: { n: null, deep: {}, list: [{}, { p: 'UDP' }] } }
  fillDefaults(schema, some)
  assert.deepEqual(some, { spec: { n: 1, deep: { s: 'x' }, list: [{ p: 'TCP' }, { p: 'UDP' }] } })
})

for (const [name, schema, value, want] of [
  [
    'a type',
    { type: 'integer' },
    'x',
    ['spec: Invalid value: "string": spec in body must be of type integer: "string"'],
  ],
  [
    'an integer of more than 64 bits',
    { type: 'integer' },
    1e19,
    ['spec: Invalid value: "number": spec in body must be of type integer: "number"'],
  ],
  ['a null', { type: 'string' }, null, ['spec: Invalid value: "null": spec in body must be of type string: "null"']],
  ['a choice', { type: 'string', enum: ['a', 'b'] }, 'c', ['spec: Unsupported value: "c": supported values: "a", "b"']],
  [
    'a pattern',
    { type: 'string', pattern: '^a+$' },
    'b',
    ['spec: Invalid value: "b": spec in body should match \'^a+$\''],
  ],
  ['a length', { type: 'string', maxLength: 1 }, 'ab', ['spec: Too long: may not be more than 1 bytes']],
  [
    'a limit',
    { type: 'integer', minimum: 1 },
    0,
    ['spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
  ],
  [
    'what is needed',
    { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
    {},
    ['spec.a: Required value'],
  ],
  [
    'a format',
    { type: 'string', format: 'ipv4' },
    '1.2.3',
    ['spec: Invalid value: "1.2.3": spec in body must be of type ipv4: "1.2.3"'],
  ],
  [
    'an item',
    { type: 'array', items: { type: 'string' } },
    ['a', 1],
    ['spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"'],
  ],
  [
    'one of several',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { a: 1, b: 1 },
    ['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  ],
  [
    'a number or a text',
    { 'x-kubernetes-int-or-string': true },
    1.5,
    ['spec: Invalid value: "number": spec in body must be of type integer,string: "number"'],
  ],
] as const)
  test(`validation tells of ${name} in upstream's words`, () =>
    assert.deepEqual(problems(schema as unknown as JsonSchema, value), want))

test('what was wrong before and has not changed is no error', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: { a: { type: 'integer', maximum: 1 }, b: { type: 'integer', maximum: 1 } },
  }
  assert.equal(problems(schema, { a: 5, b: 1 }, { a: 5, b: 0 }).length, 0)
  assert.equal(problems(schema, { a: 6, b: 1 }, { a: 5, b: 0 }).length, 1)
})

test('lists that are sets, or have keys, hold nothing twice', () => {
  const schema = root({
    type: 'object',
    properties: {
      set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      map: {
        type: 'array',
        items: { type: 'object' },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
    },
  })
  const found = validateListTypes(
    schema,
    object({ set: ['a', 'b', 'a', 'a'], map: [{ k: 1 }, { k: 2 }, { k: 1, v: 3 }] }),
  )
  assert.deepEqual(
    found.list.map(({ field }) => field),
    ['spec.set[2]', 'spec.map[2]'],
  )
})

const ruled: JsonSchema = {
  type: 'object',
  'x-kubernetes-validations': [
    {
      rule: 'self.min <= self.max',
      messageExpression: "'min ' + string(self.min) + ' is above max'",
      fieldPath: '.min',
    },
  ],
  properties: {
    min: { type: 'integer' },
    max: {
      type: 'integer',
      'x-kubernetes-validations': [
        { rule: 'self >= oldSelf', message: 'must not shrink', reason: 'FieldValueForbidden' },
      ],
    },
  },
}

function broken(schema: JsonSchema, value: unknown, old?: unknown): string[] {
  const errors = new FieldErrors()
  validateRules(root(schema), object(value), old === undefined ? undefined : object(old), errors)
  return errors.list.map(({ field, message }) => `${field}: ${message}`)
}

test('rules are told with their own message at their own field', () => {
  assert.deepEqual(broken(ruled, { min: 3, max: 2 }), ['spec.min: Invalid value: min 3 is above max'])
  assert.deepEqual(broken(ruled, { min: 1, max: 2 }), [])
})

test('a rule about a change holds only where there was something', () => {
  assert.deepEqual(broken(ruled, { min: 1, max: 2 }, { min: 1 }), [])
  assert.deepEqual(broken(ruled, { min: 1, max: 2 }, { min: 1, max: 3 }), ['spec.max: Forbidden: must not shrink'])
})

test('a rule that did not hold before is no error while nothing changes', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      a: { type: 'string', 'x-kubernetes-validations': [{ rule: "self == 'ok'" }] },
      b: { type: 'string' },
    },
  }
  assert.deepEqual(broken(schema, { a: 'bad', b: 'new' }, { a: 'bad', b: 'old' }), [])
  assert.deepEqual(broken(schema, { a: 'worse' }, { a: 'bad' }), [
    'spec.a: Invalid value: "worse": failed rule: self == \'ok\'',
  ])
})

test('rules of a definition that cannot be are refused where they stand', () => {
  const errors = new FieldErrors()
  checkRules(
    root({ type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nope > 1' }], properties: {} }),
    new FieldPath(undefined, 'schema'),
    errors,
    false,
  )
  assert.equal(errors.list[0]?.field, 'schema.properties[spec].x-kubernetes-validations[0].rule')
  assert.match(errors.list[0]?.message ?? '', /undefined field 'nope'/)
})

test('rules that can cost too much are refused where they stand and for the whole schema, unless the schema was there before', () => {
  const told = (spec: JsonSchema, unchanged = false) => {
    const errors = new FieldErrors()
    checkRules(root(spec), new FieldPath(undefined, 'schema'), errors, unchanged)
    return errors.list.map(({ field }) => field)
  }
  const list = (maxItems?: number): JsonSchema => ({
    type: 'array',
    ...(maxItems !== undefined && { maxItems }),
    items: { type: 'string', 'x-kubernetes-validations': [{ rule: "self.matches('a.*b')" }] },
  })
  const rule = 'schema.properties[spec].items.x-kubernetes-validations[0].rule'
  assert.deepEqual(told(list()), [rule, rule, 'schema'])
  assert.deepEqual(told(list(100)), [rule])
  assert.deepEqual(told(list(100), true), [])
  assert.deepEqual(told(list(20)), [])
})

test('a rule cannot look at old values that cannot be found again', () => {
  const told = (type: 'atomic' | 'map') => {
    const errors = new FieldErrors()
    checkRules(
      root({
        type: 'array',
        maxItems: 5,
        'x-kubernetes-list-type': type,
        items: {
          type: 'object',
          properties: { a: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } },
        },
      }),
      new FieldPath(undefined, 'schema'),
      errors,
      false,
    )
    return errors.list.map(({ message }) => message)
  }
  assert.deepEqual(told('map'), [])
  assert.match(
    told('atomic')[0]!,
    /oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties\[spec\]$/,
  )
})
