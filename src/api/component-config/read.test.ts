import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigError, readConfig, type ConfigKind } from './read.ts'

const toys: ConfigKind = {
  apiVersion: 'toys.example.com/v1',
  kind: 'ToyConfiguration',
  shape: {
    port: 'int32',
    name: 'string',
    limits: { '*': 'string' },
    auth: { x509: { clientCAFile: 'string' } },
    parts: [{ id: 'string', weight: 'int32' }],
    taints: ['io.k8s.api.core.v1.Taint'],
    args: 'any',
  },
}
const head = 'apiVersion: toys.example.com/v1\nkind: ToyConfiguration\n'
const refused = (body: string) => {
  try {
    readConfig(body, toys)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  throw new Error('it was read')
}

test('what the shape has is read, and only what is there', () => {
  assert.deepEqual(
    readConfig(
      `${head}port: 0\nlimits: {a: b}\nauth: {x509: {clientCAFile: f}}\nparts: [{id: x, weight: 1}]\ntaints: [{key: k, effect: NoSchedule}]\nargs: {any: [thing]}\n`,
      toys,
    ),
    {
      apiVersion: 'toys.example.com/v1',
      kind: 'ToyConfiguration',
      port: 0,
      limits: { a: 'b' },
      auth: { x509: { clientCAFile: 'f' } },
      parts: [{ id: 'x', weight: 1 }],
      taints: [{ key: 'k', effect: 'NoSchedule' }],
      args: { any: ['thing'] },
    },
  )
  assert.deepEqual(
    readConfig('{"apiVersion": "toys.example.com/v1", "kind": "ToyConfiguration", "name": "n"}', toys)['name'],
    'n',
  )
})

for (const [what, body, message] of [
  [
    'unknown fields with their places and what was meant',
    `${head}prot: 5\nauth:\n  x509:\n    clientCAFil: x\nparts:\n- wieght: 3\n`,
    'strict decoding error: unknown field "auth.x509.clientCAFil" at line 6, column 5; did you mean clientCAFile?, unknown field "parts[0].wieght" at line 8, column 3; did you mean weight?, unknown field "prot" at line 3, column 1; did you mean port?',
  ],
  [
    'repeated fields',
    `${head}port: 5\nparts:\n- id: a\n  id: b\nport: 6\n`,
    'strict decoding error: line 6: key "id" already set in map, line 7: key "port" already set in map',
  ],
  [
    'both',
    `${head}port: 5\nport: 6\nfoo: 1\n`,
    'strict decoding error: line 4: key "port" already set in map, unknown field "foo" at line 5, column 1',
  ],
  ['another kind', 'apiVersion: toys.example.com/v1\nkind: Pod\n', 'kind is "Pod": it must be ToyConfiguration'],
  [
    'another version',
    'apiVersion: toys.example.com/v2\nkind: ToyConfiguration\n',
    'apiVersion is "toys.example.com/v2": it must be toys.example.com/v1',
  ],
  ['no kind', 'apiVersion: toys.example.com/v1\n', 'kind is missing: it must be ToyConfiguration'],
  ['nothing', '', 'it holds nothing'],
  ['a list', '- a', 'it holds no map'],
] as const) {
  test(`refused: ${what}`, () => assert.equal(refused(body), message))
}

test('a value of another type is refused with its field', () => {
  assert.match(refused(`${head}port: many\n`), /cannot unmarshal string into Go struct field .*port of type int32/)
  assert.match(refused(`${head}name: 5\n`), /cannot unmarshal number into Go struct field .*name of type string/)
  assert.match(refused(`${head}port: [`), /^not YAML: yaml: line 3/)
})
