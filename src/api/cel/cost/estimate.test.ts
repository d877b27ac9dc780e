import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredSizeOf } from '../../crd-schema/declared-size.ts'
import type { JsonSchema } from '../../crd-schema/json-schema.ts'
import { celTypeOf } from '../../crd-schema/schema-type.ts'
import { baseFunctions } from '../library/base.ts'
import { estimateCost } from './estimate.ts'

function costOf(schema: JsonSchema, rule: string): number {
  const type = celTypeOf(schema, false)!
  return estimateCost(
    rule,
    { functions: baseFunctions(), variables: { self: type, oldSelf: type }, bindings: true },
    declaredSizeOf(schema, false)!,
  )
}

const text = (maxLength?: number): JsonSchema => ({ type: 'string', ...(maxLength !== undefined && { maxLength }) })
const array = (items: JsonSchema, maxItems?: number): JsonSchema => ({
  type: 'array',
  items,
  ...(maxItems !== undefined && { maxItems }),
})
const map = (values: JsonSchema, maxProperties?: number): JsonSchema => ({
  type: 'object',
  additionalProperties: values,
  ...(maxProperties !== undefined && { maxProperties }),
})
const number: JsonSchema = { type: 'number' }
const either: JsonSchema = { 'x-kubernetes-int-or-string': true }

// What upstream's own estimator says.
for (const [rule, schema, cost] of [
  ['self.all(x, true)', array(number), 4_718_591],
  ['self.all(x, true)', array(number, 10), 32],
  ['self.all(x, true)', array({ type: 'boolean' }), 1_887_437],
  ['self.all(x, true)', array(array(number)), 3_145_727],
  ['self.all(x, true)', array({ type: 'string', format: 'date-time' }), 428_963],
  ['self.all(x, true)', array({ type: 'string', format: 'duration' }), 2_359_295],
  ['self.all(x, true)', map(number), 1_348_169],
  ['self.all(x, true)', map(text(), 3), 11],
  ['self.all(x, true)', array(either), 4_718_591],
  ["self.contains('test')", text(), 314_574],
  ["self.contains('test')", text(10), 5],
  ["self.startsWith('test')", text(), 2],
  ['size(self + "hello") > size("hello")', text(), 314_578],
  ['self[1] == 0.0', array(number), 2],
  ['self[1] == self[1]', array(text()), 314_577],
  ['self.all(x, self.all(y, true))', array(number, 10), 352],
  ['self.all(x, self.all(y, self.all(z, true)))', array(number, 10), 3552],
  ['self.matches("x")', text(50), 22],
  ['"".matches("(((((((((())))))))))[0-9]")', text(), 7],
  ['self == "x"', text(0), 1],
  ['self.all(x, x == 0.0)', array(number), 6_291_454],
  ['self[0] == 5', array(either), 3],
  ['self[0].getHours() == 2', array({ type: 'string', format: 'duration' }), 4],
  ["self.find('[0-9]+') == ''", text(), 629_147],
  ["self.find('[0-9]+') == ''", text(10), 11],
  ["self.join(' ') == 'aa bb'", array(text()), 329_853_068_905],
  ["self.join(' ') == 'aa bb'", array(text(10), 10), 43],
  ['self.isSorted() == true', array(text()), 329_854_432_052],
  ['self.isSorted() == true', array(text(10), 10), 52],
  [
    'self.str.replace(self.before, self.after) == "does not matter"',
    { type: 'object', properties: { str: text(), before: text(2), after: text(4) } },
    629_154,
  ],
  ['self.str.split(self.separator) == []', { type: 'object', properties: { str: text(), separator: text() } }, 629_160],
  ["self.lowerAscii() == 'lower!'", text(10), 6],
  ['oldSelf.size() == self.size()', map({ type: 'integer' }), 5],
  ['self["a"] == self["b"]', map({ type: 'string', format: 'date-time' }), 8],
  ["self.contains('A')", { type: 'string', enum: ['A', 'LongValue'] }, 2],
  ['isQuantity(self)', either, 314_574],
] as const) {
  test(`${rule} costs ${cost} of ${JSON.stringify(schema)}`, () => assert.equal(costOf(schema, rule), cost))
}

test('the elements of what was made of a list are as large as what they were made of', () => {
  const names = array({ type: 'object', properties: { name: text(10) } }, 5)
  assert.ok(costOf(names, "self.map(x, x.name).exists(n, n == 'a')") < 200)
  assert.ok(costOf(array(text(10), 5), "self.filter(x, x != '').all(x, x.contains('b'))") < 200)
  assert.ok(costOf(array(text()), 'self.exists(x, self.exists_one(y, x == y))') > 1e15)
  // Upstream loses sight of the fields of what is in it.
  assert.equal(costOf(names, "self.filter(x, x.name != '').all(x, x.name.contains('b'))"), Infinity)
})

test('a name that is bound costs what it stands for once', () => {
  assert.equal(costOf(array(number, 10), 'cel.bind(s, self.size(), s > 1 && s < 5)'), 10 + 2 + 4)
})
