import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { selects, selectsAll, selectsMap, selectorText } from './label-selector.ts'
import { matcherOf } from './label.ts'
import { parseLabelSelector } from './parse-label.ts'

const key = fc.constantFrom('app', 'tier', 'zone')
const value = fc.constantFrom('a', 'b', '')
const requirement = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.uniqueArray(value, { minLength: 1 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)
const selector = fc.record({ matchLabels: fc.dictionary(key, value), matchExpressions: fc.array(requirement) })

test('a selector asked as it is, compiled, and through its text says the same', () => {
  fc.assert(
    fc.property(selector, fc.dictionary(key, value), (asked, labels) => {
      const want = matcherOf(asked).matches(labels)
      assert.equal(selects(asked, labels), want)
      assert.equal(parseLabelSelector(selectorText(asked)).matches(labels), want)
      assert.equal(selectsAll(asked), matcherOf(asked).everything)
    }),
  )
})

test('an absent selector selects nothing, an empty one everything, an empty map nothing', () => {
  assert.deepEqual([selects(undefined, {}), selectsAll(undefined), selectorText(undefined)], [false, false, ''])
  assert.deepEqual([selects({}, undefined), selectsAll({})], [true, true])
  assert.deepEqual([selectsMap({}, { app: 'web' }), selectsMap(undefined, {})], [false, false])
  assert.deepEqual([selectsMap({ app: 'web' }, { app: 'web', a: 'b' }), selectsMap({ app: 'web' }, {})], [true, false])
})

test('the text of a selector is in the order of its keys, values sorted', () =>
  assert.equal(
    selectorText({
      matchLabels: { tier: 'front' },
      matchExpressions: [
        { key: 'zone', operator: 'NotIn', values: ['b', 'a'] },
        { key: 'app', operator: 'Exists' },
        { key: 'beta', operator: 'DoesNotExist' },
      ],
    }),
    'app,!beta,tier=front,zone notin (a,b)',
  ))
