import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IndexSet } from './index-set.ts'

const indexes = fc.array(fc.nat(60), { maxLength: 40 })

test('a set of indexes behaves as a set, and its text brings it back', () => {
  fc.assert(
    fc.property(indexes, indexes, (a, b) => {
      const set = IndexSet.of(a).with(b)
      const model = new Set([...a, ...b])
      assert.equal(set.size, model.size)
      assert.deepEqual(
        [...set],
        [...model].sort((x, y) => x - y),
      )
      for (let index = 0; index < 62; index++) assert.equal(set.has(index), model.has(index))
      assert.deepEqual([...IndexSet.parse(set.toString(), 100)], [...set])
      assert.equal(IndexSet.of(a).common(IndexSet.of(b)), new Set(a).intersection(new Set(b)).size)
    }),
  )
})

const texts = [
  { indexes: [], text: '' },
  { indexes: [0], text: '0' },
  { indexes: [0, 1], text: '0,1' },
  { indexes: [0, 1, 2], text: '0-2' },
  { indexes: [1, 3, 4, 5, 7], text: '1,3-5,7' },
]
for (const { indexes: list, text } of texts)
  test(`[${list.join(' ')}] is written ${text || 'as nothing'}`, () => assert.equal(IndexSet.of(list).toString(), text))

test('indexes beyond the completions are left out', () => assert.equal(IndexSet.parse('0-9,20', 5).toString(), '0-4'))
