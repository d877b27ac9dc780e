import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { definition } from '../schema/builtin.ts'
import { decodeBody, decodeYamlBody, type FieldValidation } from './body.ts'
import { hasDuplicates, parseJson, syntaxMessage } from './json.ts'

const pod = { schema: definition('api.core.v1.Pod'), group: '', version: 'v1', kind: 'Pod' }
const decodePod = (text: string, validation: FieldValidation = 'Strict') => decodeBody(text, pod, validation)
const refused = (text: string, message: string | RegExp) =>
  assert.throws(
    () => {
      const { refused: late } = decodePod(text)
      if (late) throw late
    },
    (error: { code: number; message: string }) => {
      assert.equal(error.code, 400)
      if (typeof message === 'string') assert.equal(error.message, message)
      else assert.match(error.message, message)
      return true
    },
  )

test('what a body leaves out is filled in from the path', () => {
  assert.deepEqual(Object.entries(decodePod('{"metadata":{"name":"a"}}').object).slice(0, 3), [
    ['kind', 'Pod'],
    ['apiVersion', 'v1'],
    ['metadata', { name: 'a' }],
  ])
})

for (const [text, message] of [
  [
    '',
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ],
  [
    '{"a" 1}',
    `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character '1' after object key ({"a" 1})`,
  ],
  ['[]', /couldn't get version\/kind; json parse error: json: cannot unmarshal array/],
  [
    '{"kind":"Deployment","apiVersion":"apps/v1"}',
    /^Deployment in version "v1" cannot be handled as a Pod: no kind "Deployment" is registered/,
  ],
  ['{"kind":"Pod","apiVersion":"v2"}', 'the API version in the data (v2) does not match the expected API version (v1)'],
  [
    '{"spec":{"containers":[{"name":5}]}}',
    'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
  ],
  [
    '{"spec":{"containers":{}}}',
    'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [
    '{"spec":{"containers":["x"]}}',
    'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container',
  ],
  [
    '{"spec":{"containers":[{"ports":[{"containerPort":"http"}]}]}}',
    'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    '{"spec":{"containers":[{"ports":[{"containerPort":1.5}]}]}}',
    /cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32$/,
  ],
  [
    '{"spec":{"restartPolicy":true}}',
    /cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy$/,
  ],
  [
    '{"metadata":{"labels":{"a":1}}}',
    /cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string$/,
  ],
  [
    '{"metadata":{"creationTimestamp":"yesterday"}}',
    /parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"$/,
  ],
  ['{"spec":{"containers":[{"resources":{"limits":{"cpu":"lots"}}}]}}', /quantities must match the regular expression/],
  [
    '{"spec":{"foo":1,"containers":[{"image":"x","imagee":"y"}]},"metadata":{"labels":{"a":"1","a":"2"}}}',
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee", unknown field "spec.foo", duplicate field "metadata.labels.a"',
  ],
] as const) {
  test(`the body ${text.slice(0, 60) || '(empty)'} is refused`, () => refused(text, message))
}

test('the fields that no version has are told of before another version is refused', () => {
  const { warnings, refused } = decodePod('{"kind":"Pod","apiVersion":"v0","image":"x","spec":{"old":1}}', 'Warn')
  assert.deepEqual(warnings, ['unknown field "image"'])
  assert.match(refused?.message ?? '', /does not match the expected API version/)
})

test('keys that a YAML body repeats are told one by one, or all in one refusal', () => {
  const decode = (validation: 'Warn' | 'Strict') =>
    decodeYamlBody('{}', pod, validation, () => [
      'line 2: key "a" already set in map',
      'line 3: key "b" already set in map',
    ])
  assert.equal(decode('Warn').warnings.length, 2)
  assert.throws(() => decode('Strict'), /strict decoding error: yaml: unmarshal errors:\n {2}line 2: .*\n {2}line 3: /)
})

test('unknown and duplicate fields become warnings, or nothing', () => {
  const text = '{"spec":{"foo":{"a":1,"a":2},"nodeName":"a","nodeName":"b"}}'
  assert.deepEqual(decodePod(text, 'Warn').warnings, ['unknown field "spec.foo"', 'duplicate field "spec.nodeName"'])
  assert.deepEqual(decodePod(text, 'Ignore').warnings, [])
  assert.equal((decodePod(text, 'Ignore').object['spec'] as { nodeName: string }).nodeName, 'b')
})

test('null is absence: zero where something is always written', () => {
  const { object } = decodePod('{"metadata":null,"spec":{"containers":[null],"nodeSelector":null,"hostNetwork":null}}')
  assert.deepEqual(object, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {},
    spec: { containers: [{ name: '', resources: {} }] },
    status: {},
  })
})

test('keys such as __proto__ and constructor are data', () => {
  const { object } = decodePod('{"metadata":{"labels":{"__proto__":"a","constructor":"b"}}}')
  assert.equal(JSON.stringify((object['metadata'] as { labels: object }).labels), '{"__proto__":"a","constructor":"b"}')
  assert.deepEqual(decodePod('{"__proto__":{"spec":1}}', 'Warn').warnings, ['unknown field "__proto__"'])
})

test('whether keys are repeated is seen without reading them', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent)
      assert.equal(hasDuplicates(text, JSON.parse(text)), false)
      const twice = `{"a":[${text}],"a":${text}}`
      assert.equal(hasDuplicates(twice, JSON.parse(twice)), true)
    }),
  )
})

test('nesting is limited, however deep', () => {
  for (const depth of [3000, 100_000])
    assert.throws(() => parseJson('['.repeat(depth) + ']'.repeat(depth)), /exceeded max depth/)
  assert.throws(() => parseJson('['.repeat(100_000)), /exceeded max depth/)
})

for (const [text, message] of [
  ['{', 'unexpected end of JSON input'],
  ['nul', 'unexpected end of JSON input'],
  ['nulx', "invalid character 'x' in literal null (expecting 'l')"],
  ['[1 2]', "invalid character '2' after array element"],
  ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['1 x', "invalid character 'x' after top-level value"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['-', 'unexpected end of JSON input'],
  ['[1,]', "invalid character ']' looking for beginning of value"],
] as const) {
  test(`the mistake in ${text} is named`, () => assert.equal(syntaxMessage(text), message))
}

test('half of a surrogate pair that stands alone becomes the replacement character', () => {
  for (const [text, value] of [
    [String.raw`"a\ud800b"`, 'a\ufffdb'],
    [String.raw`"\uDC00\ud83d"`, '\ufffd\ufffd'],
    [String.raw`"\ud83d\ude00"`, '\u{1f600}'],
    [String.raw`"\\ud800"`, String.raw`\ud800`],
    [String.raw`"\\\ud800"`, '\\\ufffd'],
  ] as const)
    assert.equal(parseJson(text), value, text)
})

test('a number that is too large for a double is refused, not taken for null', () => {
  assert.throws(() => parseJson('{"spec":[{"a":-1.5e400 }]}'), /json: cannot unmarshal number -1\.5e400 into Go value/)
  for (const text of ['{"a":1e308}', '{"a":"1e400,"}', '{"a":1e-400}', '["e123","e456"]'])
    assert.deepEqual(parseJson(text), JSON.parse(text))
})
