import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OrderedMap, prefixEnd } from './ordered-map.ts'

test('an ordered map behaves as a sorted list, whatever is done to it', () => {
  const key = fc.integer({ min: 0, max: 2000 }).map((n) => `k${n}`)
  const ops = fc.array(fc.tuple(fc.boolean(), key), { maxLength: 3000, minLength: 0, size: 'max' })
  fc.assert(
    fc.property(ops, key, key, (steps, from, end) => {
      const map = new OrderedMap<number>()
      const model = new Map<string, number>()
      for (const [index, [put, each]] of steps.entries()) {
        if (put) {
          map.set(each, index)
          model.set(each, index)
        } else assert.equal(map.delete(each), model.delete(each))
      }
      const got: [string, number][] = []
      map.scan(from, end, (value, each) => void got.push([each, value]))
      const want = [...model].filter(([each]) => each >= from && each < end).sort(([a], [b]) => (a < b ? -1 : 1))
      assert.deepEqual(got, want)
      assert.equal(map.count(from, end), want.length)
      assert.equal(map.count('', undefined), model.size)
      assert.equal(map.size, model.size)
      assert.deepEqual([map.get(from), map.has(from)], [model.get(from), model.has(from)])
    }),
    { numRuns: 30 },
  )
})

test('ascending keys are all found', () => {
  const map = new OrderedMap<number>()
  for (let i = 0; i < 10_000; i++) map.set(`k${String(i).padStart(6, '0')}`, i)
  for (let i = 0; i < 10_000; i++) assert.equal(map.get(`k${String(i).padStart(6, '0')}`), i)
})

test('the end of a prefix comes right after all that start with it', () => {
  assert.deepEqual([prefixEnd('/a/'), prefixEnd(''), prefixEnd('a\uffff')], ['/a0', undefined, 'b'])
})
