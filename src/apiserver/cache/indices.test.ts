import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OrderedMap } from '../../base/ordered-map.ts'
import type { Selection } from './cache.ts'
import { Document } from './document.ts'
import { Indices } from './indices.ts'
import { pageOf } from './snapshot.ts'
import { FieldTable, StoredObject } from './stored-object.ts'

type Labels = Readonly<Record<string, string>>

const table = new FieldTable()
const objectOf = (key: string, labels: Labels): StoredObject =>
  new StoredObject(key, 1, Document.ofObject({ kind: 'Pod', apiVersion: 'v1', metadata: { name: key, labels } }), table)

/** A thousand objects, ten of each value of the label `group`, and all with the same `app`. */
function thousand() {
  const objects = new OrderedMap<StoredObject>()
  const indices = new Indices(objects, [])
  const put = (key: string, labels: Labels | undefined): void => {
    const previous = objects.get(key)
    const next = labels && objectOf(key, labels)
    if (next) objects.set(key, next)
    else objects.delete(key)
    indices.update(previous, next)
  }
  for (let i = 0; i < 1000; i++)
    put(`${i % 2 ? 'a' : 'b'}/p${String(i).padStart(3, '0')}`, { app: 'web', group: `g${i % 100}` })
  let looked = 0
  const select = (labelEquals: Labels, namespace?: string): string[] => {
    looked = 0
    const selection: Selection = {
      namespace,
      labelEquals,
      labels: (labels) => {
        looked++
        return Object.entries(labelEquals).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
      },
    }
    const source = { objects, indices, namespaced: true, undo: new Map() }
    return pageOf(source, { selection, after: undefined, limit: Infinity }).entries.map(({ key }) => key)
  }
  return { objects, put, select, looked: () => looked }
}

test('of the objects that have a label, only those with its value are looked at', () => {
  const { put, select, looked } = thousand()
  assert.equal(select({ app: 'web', group: 'g7' }).length, 10)
  assert.equal(looked(), 10)
  put('a/p007', undefined)
  put('b/p000', { group: 'g7' })
  put('a/p107', { group: 'g8' })
  assert.deepEqual(select({ group: 'g7' }).slice(0, 3), ['a/p207', 'a/p307', 'a/p407'])
  assert.equal(looked(), 9)
})

test('a label that nearly everything has is no help: the objects of the namespace are read in order', () => {
  const { select, looked } = thousand()
  assert.equal(select({ app: 'web' }, 'a').length, 500)
  assert.equal(looked(), 500)
})

test('a label named like a property of every JavaScript object is a label as any other', () => {
  const { put, select } = thousand()
  put('a/own', { constructor: 'x' })
  assert.deepEqual(select({ constructor: 'x' }), ['a/own'])
})

test('whatever is written and selected, an index changes nothing but the work', () => {
  // More labels than have an index at a time.
  const label = fc.integer({ min: 0, max: 11 }).map((n) => `l${n}`)
  const value = fc.constantFrom('', 'x', 'y')
  const step = fc.oneof(
    fc.record({
      key: fc.integer({ min: 0, max: 40 }),
      labels: fc.option(fc.dictionary(label, value, { maxKeys: 5 }), { nil: undefined }),
    }),
    fc.record({ select: fc.dictionary(label, value, { minKeys: 1, maxKeys: 2 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { objects, put, select } = thousand()
      for (const each of steps) {
        if (!('select' in each)) {
          put(`c/${each.key}`, each.labels)
          continue
        }
        const expected: string[] = []
        objects.scan('', undefined, ({ key, labels }) => {
          if (Object.entries(each.select).every(([name, wanted]) => labels[name] === wanted)) expected.push(key)
        })
        assert.deepEqual(select(each.select), expected)
      }
    }),
    { numRuns: 50 },
  )
})
