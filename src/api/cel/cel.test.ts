import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from './compile.ts'
import { Budget } from './frame.ts'
import { baseFunctions } from './library/base.ts'
import { CelSyntaxError } from './syntax.ts'
import { dyn, listOf, mapOf, objectOf, string, int } from './types.ts'
import { fromJson, toJson, CelBudgetError, CelError } from './values.ts'

const object = objectOf('self', { name: string, count: int, tags: listOf(string), labels: mapOf(string, string) })
const language = { functions: baseFunctions(), variables: { self: object, free: dyn }, bindings: true }
const self = { name: 'web', count: 3, tags: ['a', 'b'], labels: { app: 'x' } }
const free = { n: 1.5, list: [3, 1, 2], deep: { a: [{ b: 1 }] } }

const evaluate = (expression: string): unknown =>
  toJson(
    compile(expression, language).evaluate(
      { self: fromJson(self, object), free: fromJson(free) },
      new Budget(1_000_000),
    ),
  )

const values: readonly (readonly [string, unknown])[] = [
  ['1 + 2 * 3 == 7 && !(false || 1 > 2)', true],
  ['-7 / 2', -3],
  ['-7 % 3', -1],
  ['self.count + 1', 4],
  ["self.tags.all(t, t.size() == 1) && self.tags.exists_one(t, t == 'a')", true],
  ["self.tags.map(t, t + '!')", ['a!', 'b!']],
  ['free.list.filter(i, i > 1)', [3, 2]],
  ["self.labels.all(k, v, k == 'app' && v == 'x')", true],
  ['self.tags.transformList(i, t, string(i) + t)', ['0a', '1b']],
  ['has(self.labels.app) && !has(self.labels.other)', true],
  ["self.labels[?'none'].orValue('d')", 'd'],
  ["self.labels.?app.orValue('d')", 'x'],
  ["'%s has %d of %.1f'.format(['a', 3, 2.5])", 'a has 3 of 2.5'],
  [String.raw`'\x41\u00e9\U0001F600\101\n' == 'Aé😀A' + "\n" && b'\xff\377\101' == b"\377\xFFA"`, true],
  ["'a,b'.split(',')", ['a', 'b']],
  ["['b', 'a'].isSorted()", false],
  ['[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0', true],
  ["quantity('1Gi').isGreaterThan(quantity('1G'))", true],
  ["ip('10.0.0.1').family() == 4 && cidr('10.0.0.0/8').containsIP('10.1.2.3')", true],
  ["ip('2001:db8::0:1') == ip('2001:DB8:0::1')", true],
  ["url('https://example.com:80/path?q=1').getHostname()", 'example.com'],
  ["duration('1h30m') > duration('89m') && timestamp('2024-01-01T00:00:00Z').getFullYear() == 2024", true],
  ['free.n > 1 && 1 < 1.5', true],
  ["'abc'.matches('^a.c$') && 'abc'.find('b.') == 'bc'", true],
  ["type(1) == int && type('') == string && type([]) == list", true],
  ['cel.bind(x, self.count * 2, x + x)', 12],
  ["sets.contains(self.tags, ['a']) && 'a' in self.tags && 'app' in self.labels", true],
  ["'a' in free.deep && !('b' in free.deep) && 3 in free.list && !(4 in free.list)", true],
  ["!format.dns1123Label().validate('Ab').hasValue()", false],
  ["'%d %s'.format([1, 'a']) + string(size([1, free.n, []].filter(x, true)))", '1 a3'],
  ['false && 1 / 0 == 1 || true', true],
  ['[1, 2].exists(i, 1 / (i - 1) > 0)', true],
  ["semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).patch() == 0", true],
  ['optional.of(1).optMap(x, x + 1).value()', 2],
  ["b'ab' == bytes('ab') && r'\\d' == '\\\\d'", true],
  ['{"a": 1, "b": 2}.size() == 2 && {"a": 1}["a"] == 1', true],
]

for (const [expression, value] of values)
  test(`${expression} is ${JSON.stringify(value)}`, () => assert.deepEqual(evaluate(expression), value))

const refused: readonly (readonly [string, RegExp])[] = [
  ['self.nme', /^ERROR: <input>:1:5: undefined field 'nme'\n \| self\.nme\n \| \.\.\.\.\^$/],
  ['other', /undeclared reference to 'other' \(in container ''\)/],
  ["self.count + 'a'", /found no matching overload for '_\+_' applied to '\(int, string\)'/],
  ['self.name == 1', /found no matching overload for '_==_' applied to '\(string, int\)'/],
  ['self.name.foo()', /undeclared reference to 'foo'/],
  ['1 +', /Syntax error: mismatched input '<EOF>'/],
  [String.raw`1 == '\U00110000'`, /^ERROR: <input>:1:6: invalid unicode code point/],
  [String.raw`'\uD800'`, /^ERROR: <input>:1:1: invalid unicode code point/],
  [String.raw`b'\u0041'`, /^ERROR: <input>:1:1: unable to unescape string/],
  ["self.name.matches('[')", /^ERROR: <input>:1:19: invalid matches argument/],
  ["duration('soon') > duration('1s')", /invalid duration argument/],
  ["1 in [1, 'a']", /^ERROR: <input>:1:10: expected type 'int' but found 'string'/],
  ["size({'a': 1, 'b': [2]}) > 0", /expected type 'int' but found 'list\(int\)'/],
  ["'a'.reverse() == 'a'", /undeclared reference to 'reverse'/],
  ["timestamp('today') == timestamp('2026-01-01T00:00:00Z')", /invalid timestamp argument/],
]

for (const [expression, problem] of refused)
  test(`${expression} is refused with the place`, () =>
    assert.throws(
      () => compile(expression, language),
      (error) => error instanceof CelSyntaxError && problem.test(error.message),
    ))

test('what fails when it runs says why', () => {
  for (const [expression, message] of [
    ['1 / 0', 'division by zero'],
    ['free.none', 'no such key: none'],
    ['self.tags[7]', 'index out of bounds: 7'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ["free.n + 'a' == 'b'", 'no such overload'],
  ] as const)
    assert.throws(
      () => evaluate(expression),
      (error) => error instanceof CelError && error.message === message,
      expression,
    )
})

test('an expression that goes through too much is stopped, whatever absorbs errors', () => {
  const program = compile('free.list.all(a, free.list.all(b, free.list.all(c, true))) || true', language)
  assert.throws(
    () => program.evaluate({ free: fromJson({ list: Array.from({ length: 200 }, (_, i) => i) }) }, new Budget(10_000)),
    CelBudgetError,
  )
})

test('lists that are sets are equal in any order', () => {
  const set = { kind: 'list', item: int, listType: 'set' } as const
  const program = compile('a == b', { functions: baseFunctions(), variables: { a: set, b: set } })
  assert.equal(program.evaluate({ a: fromJson([1, 2], set), b: fromJson([2, 1], set) }, new Budget(100)), true)
})

test('values are bound to names only where the language has it', () => {
  assert.throws(
    () => compile('cel.bind(x, 1, x > 0)', { functions: baseFunctions(), variables: {} }),
    /undeclared reference to 'cel'/,
  )
})
