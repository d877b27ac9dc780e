import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileJsonPath } from './json-path.ts'

const object = {
  metadata: { labels: { 'app.kubernetes.io/name': 'x' }, 'odd[key]': 1 },
  spec: { replicas: 3, list: [{ name: 'a', port: 80 }, { name: 'b', port: 443, on: true }, { name: 'c' }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Available', status: 'False' },
    ],
  },
}

test('paths find what is there, and nothing where nothing is', () => {
  const found: [string, unknown[]][] = [
    ['.spec.replicas', [3]],
    ['spec.replicas', [3]],
    ['$.spec.replicas', [3]],
    ['.spec.none.deeper', []],
    ['.spec.replicas.deeper', []],
    ['.spec.list[0].name', ['a']],
    ['.spec.list[-1].name', ['c']],
    ['.spec.list[7].name', []],
    ['.spec.list[*].name', ['a', 'b', 'c']],
    ['.spec.list[1:].name', ['b', 'c']],
    ['.spec.list[-1:].name', ['c']],
    ['.spec.list[0,2].name', ['a', 'c']],
    ['.spec.list[].name', ['a']],
    ['.spec.list[?(@.name=="b")].port', [443]],
    [".spec.list[?(@.name == 'b')].port", [443]],
    ['.spec.list[?(@.port>100)].name', ['b']],
    ['.spec.list[?(@.port!=80)].name', ['b']],
    ['.spec.list[?(@.on==true)].name', ['b']],
    ['.spec.list[?(@.on)].name', ['b']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".metadata.labels['app\\.kubernetes\\.io/name']", ['x']],
    ['.metadata.labels.app\\.kubernetes\\.io/name', ['x']],
    [".metadata['odd[key]']", [1]],
    ['..port', [80, 443]],
    ['.spec.*', [3, object.spec.list]],
  ]
  for (const [path, values] of found) assert.deepEqual(compileJsonPath(path)(object), values, path)
})

test('what is no path is refused', () => {
  for (const path of ['.spec.list[', '.spec.list[x]', '.a[?(@.b==c)]', `.${'a'.repeat(2000)}`])
    assert.throws(() => compileJsonPath(path), SyntaxError, path)
})
