import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFieldSelector } from './field.ts'
import { everyLabel, matcherOf, matcherOfLabels, noLabel } from './label.ts'
import { parseLabelSelector } from './parse-label.ts'

const web = { app: 'web', tier: 'a', n: '5' }
for (const [text, matches] of [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app!=web', false],
  ['app in (web,db)', true],
  ['app in (db)', false],
  ['app notin (db)', true],
  ['missing notin (x)', true],
  ['app', true],
  ['missing', false],
  ['!missing', true],
  ['!app', false],
  ['app=web,tier=b', false],
  ['n>4', true],
  ['n>5', false],
  ['n<6', true],
  ['app>4', false],
  ['missing!=x', true],
  [' app = web , tier in ( a , b ) ', true],
  ['app=', false],
  ['app in (web,)', true],
  ['in=x', false],
  ['app in ()', false],
  ['app notin ()', true],
  ['app in (a,,b)', false],
] as const) {
  test(`the selector ${JSON.stringify(text)} ${matches ? 'matches' : 'does not match'}`, () =>
    assert.equal(parseLabelSelector(text).matches(web), matches))
}

for (const [text, message] of [
  ['app=web,', "found '', expected: identifier after ','"],
  [',', "found ',', expected: !, identifier, or 'end of string'"],
  ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
  ['app in web', "unable to parse requirement: found 'web' expected: '('"],
  ['app in (a b)', "unable to parse requirement: found 'b', expected: ',' or ')'"],
  ['app=a=b', "found '=', expected: ',' or 'end of string'"],
  ['!!a', "unable to parse requirement: found '!', expected: identifier"],
  [
    'n>x',
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  ],
] as const) {
  test(`the selector ${JSON.stringify(text)} is refused`, () =>
    assert.throws(() => parseLabelSelector(text), { message }))
}

test('an absent selector of an object chooses nothing, an empty one everything', () => {
  assert.equal(matcherOf(undefined), noLabel)
  assert.equal(matcherOf({}), everyLabel)
  assert.ok(!matcherOf(undefined).matches({}))
  assert.ok(matcherOf({}).matches(undefined))
})

test('all conditions of an object selector must hold', () => {
  const selector = matcherOf({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'NotIn', values: ['b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  })
  assert.ok(selector.matches(web))
  assert.ok(!selector.matches({ ...web, old: '' }))
  assert.equal(selector.toString(), 'app=web,!old,tier notin (b)')
})

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/)

test('the text of a selector parses to a selector with the same choice', () => {
  fc.assert(
    fc.property(fc.dictionary(name, name), fc.dictionary(name, name), (wanted, labels) => {
      const selector = matcherOfLabels(wanted)
      assert.equal(parseLabelSelector(selector.toString()).matches(labels), selector.matches(labels))
      assert.equal(parseLabelSelector(selector.toString()).toString(), selector.toString())
    }),
  )
})

test('any text either parses or is refused with an Error', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'in', 'notin', ' ', ',', '(', ')', '=', '!', '<', '>', '1') }),
      (text) => {
        try {
          parseLabelSelector(text).matches({ a: '1' })
        } catch (error) {
          assert.match((error as Error).message, /found|Invalid value/)
        }
      },
    ),
  )
})

test('field selectors compare texts and undo escapes', () => {
  const object: Record<string, string> = { 'metadata.name': 'a,b', 'status.phase': 'Running' }
  const valueOf = (field: string) => object[field] ?? ''
  assert.ok(parseFieldSelector('metadata.name=a\\,b,status.phase!=Failed').matches(valueOf))
  assert.ok(!parseFieldSelector('status.phase!=Running').matches(valueOf))
  assert.ok(parseFieldSelector('spec.nodeName=').matches(valueOf))
  assert.equal(parseFieldSelector('metadata.name==x').exact('metadata.name'), 'x')
  assert.equal(parseFieldSelector('metadata.name!=x').exact('metadata.name'), undefined)
  assert.ok(parseFieldSelector('').everything)
  assert.throws(() => parseFieldSelector('nonsense'), {
    message: "invalid selector: 'nonsense'; can't understand 'nonsense'",
  })
})
