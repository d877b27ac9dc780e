import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatYaml, parseYaml, parseYamlDocuments, yamlToJson, duplicateYamlKeys } from './yaml.ts'

// What upstream's converter gives for each.
for (const [text, want] of [
  ['0644', '420'],
  ['0o644', '420'],
  ['yes', 'true'],
  ['on', 'true'],
  ['y', 'true'],
  ['off', 'false'],
  ['1e3', '1000'],
  ['1_000', '1000'],
  ['0x1F', '31'],
  ['0b101', '5'],
  ['08', '8'],
  ['.5', '0.5'],
  ['+1', '1'],
  ['1.0', '1'],
  ['2024-01-01', '"2024-01-01"'],
  ['12:30:45', '"12:30:45"'],
  ['!!binary aGk=', '"hi"'],
  ['18446744073709551615', '18446744073709551615'],
  ['9223372036854775807', '9223372036854775807'],
  ['-5', '-5'],
  ['~', 'null'],
  ['null', 'null'],
  ['', 'null'],
  ['"0644"', '"0644"'],
  ['1.2.3', '"1.2.3"'],
  ['1Gi', '"1Gi"'],
  ['100m', '"100m"'],
  ['0.0.0.0', '"0.0.0.0"'],
  ['y: 2', '{"true":2}'],
  ['1: 2', '{"1":2}'],
  ['a: &b {x: 1}\nc: {<<: *b, y_: 2}', '{"a":{"x":1},"c":{"x":1,"y_":2}}'],
  ['a: 1\na: 2', '{"a":2}'],
  ['x: |\n  a\n  b', '{"x":"a\\nb\\n"}'],
  ['{"a": [1, true]}', '{"a":[1,true]}'],
  ['!!str 5', '"5"'],
  ['a:\n  b: [\n    1,\n  ]\n  c: {\n  x: 1,\n}\nd: 2', '{"a":{"b":[1],"c":{"x":1}},"d":2}'],
  ['a: 1\n---\nb: 2', '{"a":1}'],
  ['---\na: 1\n---\nb: [', '{"a":1}'],
  ['# only\n---\n# a comment\na: 1', '{"a":1}'],
  ['__proto__: {x: 1}', '{"__proto__":{"x":1}}'],
] as const) {
  test(`YAML ${JSON.stringify(text)} is JSON ${want}`, () => assert.equal(yamlToJson(text), want))
}

for (const [text, message] of [
  ['.inf', /unsupported value/],
  ['a: [', /yaml: line/],
  ['a: b: c', /yaml: line|unsupported map key/],
  ['[1]: 2', /yaml: line|unsupported map key/],
  ['~: 2', /yaml: line|unsupported map key/],
] as const) {
  test(`YAML ${JSON.stringify(text)} is refused`, () => assert.throws(() => parseYaml(text), message))
}

test('all documents are read, empty ones are not', () => {
  assert.deepEqual(parseYamlDocuments('---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n'), [{ a: 1 }, { b: 2 }])
})

test('aliases that stand for too much are refused', () => {
  const lines = ['a0: &a0 [1,1,1,1,1,1,1,1,1,1]']
  for (let i = 1; i < 10; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(',')}]`,
    )
  assert.throws(() => parseYaml(lines.join('\n')), /excessive aliasing/)
})

for (const [open, close] of [
  ['[', ']'],
  ['{a: ', '}'],
] as const)
  test(`nesting of ${open} is read to a thousand levels, and refused in words when it is too deep`, () => {
    const nested = (levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`
    assert.doesNotThrow(() => parseYaml(nested(1000)))
    for (const levels of [3000, 5000, 20_000, 500_000])
      assert.throws(() => parseYaml(nested(levels)), { name: 'SyntaxProblem', message: /^yaml: exceeded max depth/ })
  })

test('a repeated key is reported with its line', () => {
  assert.deepEqual(duplicateYamlKeys('a: 1\nb:\n  c: 1\n  c: 2\n'), ['line 4: key "c" already set in map'])
  assert.deepEqual(duplicateYamlKeys('a: 1\n"b": {c: 1}\na: 2\n\'b\': 3\na: 4\n'), [
    'line 3: key "a" already set in map',
    'line 4: key "b" already set in map',
    'line 5: key "a" already set in map',
  ])
  assert.deepEqual(duplicateYamlKeys('a: 1\nb: 2\n'), [])
})

test('what is written as YAML is read back the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) =>
      assert.deepEqual(parseYaml(formatYaml(value)), JSON.parse(JSON.stringify(value))),
    ),
    { numRuns: 300 },
  )
})
