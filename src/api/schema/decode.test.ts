import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newKindTable } from '../table.ts'
import { arbitraryObject } from './arbitrary.test-support.ts'
import { definition, definitionNames } from './builtin.ts'
import { decode, decodeSent, normalise, reshape } from './decode.ts'
import { DecodeError } from './decode-error.ts'
import type { StructSchema } from './schema.ts'
import { canonicalMicroTime, canonicalTime } from './times.ts'
import { deepFreeze, shareEqual } from './values.ts'

const container = definition('api.core.v1.Container')
const one = (schema: StructSchema, name: string, value: unknown) => decode(schema, { [name]: value })[name]

test('every definition can be read', () => {
  for (const name of definitionNames()) assert.ok(definition(name).fields instanceof Map)
  assert.ok(definitionNames().length > 500)
})

for (const kind of newKindTable([]).all()) {
  test(`decoding ${kind.resource.kind} of ${kind.resource.group || 'core'} twice changes nothing more`, () => {
    fc.assert(
      fc.property(arbitraryObject(kind.schema, 4), (random) => {
        const object = decode(kind.schema, deepFreeze(random))
        assert.equal(JSON.stringify(decode(kind.schema, object)), JSON.stringify(object))
      }),
      { numRuns: 10 },
    )
  })
}

test('fields come in the order of the types, whatever the order of the input', () => {
  assert.deepEqual(Object.keys(decode(container, { resources: {}, image: 'a', name: 'b', args: ['c'] })), [
    'name',
    'image',
    'args',
    'resources',
  ])
})

test('what is always written is written; what is omitted when zero is omitted; a pointer to zero stays', () => {
  assert.deepEqual(decode(container, {}), { name: '', resources: {} })
  assert.deepEqual(decode(container, { image: '', tty: false, args: [], name: '' }), { name: '', resources: {} })
  assert.equal(one(definition('api.apps.v1.DeploymentSpec'), 'replicas', 0), 0)
  assert.deepEqual(decode(definition('api.rbac.v1.Role'), {}), { metadata: {}, rules: null })
  assert.deepEqual(decode(definition('api.rbac.v1.Role'), { rules: [] }), { metadata: {}, rules: null })
})

test('a list that is kept as JSON stays empty, an absent one is null', () => {
  const names = definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus')
  assert.deepEqual(decode(names, { storedVersions: [] })['storedVersions'], [])
  assert.equal(decode(names, {})['storedVersions'], null)
})

test('a list that a client sent empty stays until the object is shaped for the store', () => {
  const behavior = definition('api.autoscaling.v2.HPAScalingRules')
  const sent = decodeSent(behavior, { policies: [] })
  assert.deepEqual(sent, { policies: [] })
  assert.deepEqual(normalise(behavior, sent), {})
  const role = definition('api.rbac.v1.Role')
  assert.deepEqual(decodeSent(role, { rules: [] })['rules'], [])
  assert.equal(normalise(role, decodeSent(role, { rules: [] }))['rules'], null)
})

test('an empty map that a client sent is told from none in the schemas of definitions only', () => {
  const schema = definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  assert.deepEqual(decodeSent(schema, { items: { definitions: {} }, anyOf: [] }), {
    anyOf: [],
    items: { definitions: {} },
  })
  assert.deepEqual(decodeSent(definition('api.core.v1.ConfigMap'), { data: {} }), { metadata: {} })
})

test('what the types declare as default is filled in', () => {
  assert.deepEqual(decode(definition('api.core.v1.ContainerPort'), { containerPort: 1 }), {
    containerPort: 1,
    protocol: 'TCP',
  })
})

for (const [name, value, message] of [
  [
    'containerPort',
    2 ** 31,
    /^json: cannot unmarshal number 2147483648 into Go struct field ContainerPort.containerPort of type int32$/,
  ],
  [
    'containerPort',
    '80',
    /^json: cannot unmarshal string into Go struct field ContainerPort.containerPort of type int32$/,
  ],
  ['containerPort', {}, /cannot unmarshal object/],
  ['containerPort', [], /cannot unmarshal array/],
  ['containerPort', true, /cannot unmarshal bool/],
  ['name', 1, /cannot unmarshal number into .* of type string$/],
] as const) {
  test(`${JSON.stringify(value)} as ${name} is refused`, () =>
    assert.throws(
      () => one(definition('api.core.v1.ContainerPort'), name, value),
      (error) => error instanceof DecodeError && message.test(error.message),
    ))
}

test('bytes are canonical base64', () => {
  const secret = definition('api.core.v1.Secret')
  const data = (text: string) => (decode(secret, { data: { k: text } })['data'] as { k: string }).k
  assert.equal(data('aGk='), 'aGk=')
  assert.equal(data('aG\nk=\r\n'), 'aGk=')
  assert.equal(data('aGl='), 'aGk=')
  assert.equal(data(''), '')
  for (const bad of ['a', 'aGk', 'a-k=', '====', 'aGk=a'])
    assert.throws(() => data(bad), /^DecodeError: illegal base64 data at input byte \d+$/)
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) =>
      assert.equal(data(Buffer.from(bytes).toString('base64')), Buffer.from(bytes).toString('base64')),
    ),
  )
})

test('times are in UTC, whole seconds or microseconds', () => {
  assert.equal(canonicalTime('2026-01-02T03:04:05Z'), '2026-01-02T03:04:05Z')
  assert.equal(canonicalTime('2026-01-02T03:04:05.9+02:00'), '2026-01-02T01:04:05Z')
  assert.equal(canonicalTime('0001-01-01T00:00:00Z'), null)
  assert.equal(canonicalMicroTime('2026-01-02T03:04:05.000001Z'), '2026-01-02T03:04:05.000001Z')
  assert.throws(() => canonicalMicroTime('2026-01-02T03:04:05Z'), /cannot parse "Z" as ".000000"/)
  assert.throws(() => canonicalTime('2026-02-30T00:00:00Z'), /day out of range/)
  assert.throws(() => canonicalTime('2026-13-01T00:00:00Z'), /month out of range/)
  assert.throws(() => canonicalTime('2026-01-02'), /cannot parse "" as "T"/)
  assert.throws(() => canonicalTime(''), /cannot parse "" as "2006"/)
})

test('the parts of CRD schemas take either form', () => {
  const props = definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  const schema = {
    type: 'object',
    additionalProperties: false,
    items: { type: 'string', nonsense: 1 },
    dependencies: { a: ['b'], c: { type: 'string' } },
  }
  assert.deepEqual(decode(props, schema), {
    type: 'object',
    items: { type: 'string' },
    additionalProperties: false,
    dependencies: { a: ['b'], c: { type: 'string' } },
  })
  assert.throws(() => decode(props, { additionalProperties: 'x' }), DecodeError)
})

test('any JSON either decodes or is refused with a DecodeError', () => {
  const pod = definition('api.core.v1.Pod')
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (spec, containers) => {
      for (const input of [spec, { spec }, { spec: { containers } }, { metadata: containers, spec }]) {
        try {
          decode(pod, input)
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error))
        }
      }
    }),
  )
})

test('a changed object is brought into the same shape, whether or not unchanged parts are taken over', () => {
  const pod = definition('api.core.v1.Pod')
  fc.assert(
    fc.property(arbitraryObject(pod, 4), arbitraryObject(pod, 3), (before, after) => {
      const old = deepFreeze(decode(pod, { metadata: {}, ...before }))
      const changed = {
        ...structuredClone(old),
        ...after,
        metadata: { ...(old['metadata'] as object), ...(after['metadata'] as object) },
      }
      const shared: Record<string, unknown> = shareEqual(old, changed)
      const shaped = reshape(pod, shared, old)
      assert.equal(JSON.stringify(shaped), JSON.stringify(normalise(pod, changed)))
      assert.equal(reshape(pod, shaped), shaped)
      if (shared['spec'] === old['spec']) assert.equal(shaped['spec'], old['spec'])
    }),
  )
})
