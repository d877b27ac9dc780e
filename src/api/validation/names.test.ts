import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dnsSubdomainErrors,
  isConfigMapKey,
  isDns1035Label,
  isEnvVarName,
  isLabel,
  isLabelValue,
  isPortName,
  isQualifiedName,
  isSubdomain,
  isWildcardSubdomain,
  pathSegmentErrors,
} from './names.ts'

const cases: [string, (text: string) => readonly string[], string[], string[]][] = [
  ['labels of DNS', isLabel, ['a', 'a-b', '0', 'a'.repeat(63)], ['', '-a', 'a-', 'A', 'a.b', 'a'.repeat(64), 'a\n']],
  ['older labels', isDns1035Label, ['a', 'a-0'], ['0a', '', 'A']],
  ['subdomains', isSubdomain, ['a', 'a.b-c.d', '1.2.3'], ['', 'a..b', '.a', 'A.b', 'a'.repeat(254), 'a_b']],
  ['wildcards', isWildcardSubdomain, ['*.a.b'], ['*', 'a.*', '*.', '**.a']],
  [
    'qualified names',
    isQualifiedName,
    ['a', 'A_b.c', 'x.y/Name', 'a'.repeat(63)],
    ['', '/', 'a/b/c', 'x_y/n', '-a', 'a'.repeat(64)],
  ],
  ['label values', isLabelValue, ['', 'a', 'A.b_c-1'], ['-', 'a b', 'a'.repeat(64)]],
  ['port names', isPortName, ['http', 'a-1', '0a'], ['', '80', 'a--b', '-a', 'A', 'a'.repeat(16)]],
  ['keys of configuration', isConfigMapKey, ['a', '.a', 'A_b-c.d'], ['', '.', '..', '..a', 'a/b', 'a'.repeat(254)]],
  ['names of variables', isEnvVarName, ['A', '_a', 'a.b-c', '1 a'], ['', 'a=b', 'ä']],
]

for (const [what, rule, fine, wrong] of cases) {
  test(`${what}: what is fine passes, what is not is told of`, () => {
    for (const text of fine) assert.deepEqual(rule(text), [], JSON.stringify(text))
    for (const text of wrong) assert.notDeepEqual(rule(text), [], JSON.stringify(text))
  })
}

test('the start of a generated name may end in a dash', () => {
  assert.deepEqual(dnsSubdomainErrors('web-', true), [])
  assert.notDeepEqual(dnsSubdomainErrors('web-', false), [])
})

test('what is one part of a path is neither a dot nor holds slashes', () => {
  for (const wrong of ['.', '..', 'a/b', 'a%b']) assert.notDeepEqual(pathSegmentErrors(wrong, false), [], wrong)
  assert.deepEqual(pathSegmentErrors('system:node', false), [])
})

test('lengths are told in bytes for labels, and in characters for names', () => {
  const long = 'a'.repeat(64)
  assert.deepEqual(isLabelValue(long), ['must be no more than 63 bytes'])
  assert.deepEqual(isQualifiedName(long), ['name part must be no more than 63 bytes'])
  assert.deepEqual(isQualifiedName(`${'a'.repeat(254)}/b`), ['prefix part must be no more than 253 bytes'])
  assert.deepEqual(isLabel(long), ['must be no more than 63 characters'])
})
