import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitraryObject } from '../schema/arbitrary.test-support.ts'
import { definition } from '../schema/builtin.ts'
import { decode } from '../schema/decode.ts'
import { emptyObject } from './empty.ts'
import { fieldSetOf } from './field-set-of.ts'
import type { FieldSet } from './field-set.ts'
import { canonical, leaf, pathsOf } from './field-set.ts'
import { gainedFields } from './gained.ts'
import { newFields } from './new-fields.ts'
import { anyShape, elementStep, shapeOf, type Shape } from './shape.ts'

const schemas = [
  'core.v1.Pod',
  'apps.v1.Deployment',
  'core.v1.Service',
  'core.v1.ConfigMap',
  'networking.v1.Ingress',
].map((name) => definition(`api.${name}`))
const objects = fc
  .constantFrom(...schemas)
  .chain((schema) => arbitraryObject(schema, 5).map((random) => ({ schema, object: decode(schema, random) })))

/** The fields of a value that is all new, without any sharing. */
function plainly(shape: Shape, to: unknown): FieldSet | undefined {
  if (to === undefined || shape.kind === 'ignored') return undefined
  if (shape.kind === 'leaf' || to === null || typeof to !== 'object') return {}
  const children: Record<string, FieldSet> = {}
  if (shape.kind === 'list') {
    for (const element of to as unknown[]) {
      const step = elementStep(shape, element)
      children[step] = step in children ? {} : plainly(shape.items(), element)!
    }
  } else {
    for (const [name, value] of Object.entries(to)) {
      const part = shape.kind === 'struct' ? shape.fields.get(name) : undefined
      if (part?.omitsEmpty && Array.isArray(value) && value.length === 0) continue
      const node = plainly(part ? part.shape() : shape.kind === 'map' ? shape.values() : anyShape, value)
      if (node) children[`f:${name}`] = node
    }
  }
  return Object.keys(children).length > 0 ? { '.': {}, ...children } : {}
}

const paths = (set: FieldSet | undefined): string[] =>
  [...pathsOf(set ?? {})].map((path) => JSON.stringify(path)).sort()

test('what is all new is found as if nothing were shared', () => {
  fc.assert(
    fc.property(objects, ({ schema, object }) => {
      const found = newFields(shapeOf(schema), undefined, object)!
      assert.deepEqual(paths(found), paths(plainly(shapeOf(schema), object)))
      assert.ok(canonical(found))
    }),
  )
})

test('the fields of a creation are what the object gains over one that nobody wrote', () => {
  fc.assert(
    fc.property(objects, ({ schema, object }) => {
      const empty = emptyObject(schema)
      assert.deepEqual(
        paths(newFields(shapeOf(schema), empty, object)),
        paths(gainedFields(shapeOf(schema), structuredClone(empty), object, true)),
      )
    }),
  )
})

test('objects with the same fields have the same set', () => {
  fc.assert(
    fc.property(objects, ({ schema, object }) => {
      const twin = structuredClone(object)
      const shared = (find: (from: unknown) => unknown) => find(object) === find(twin)
      for (const find of [
        (to: unknown) => newFields(shapeOf(schema), undefined, to),
        (to: unknown) => newFields(shapeOf(schema), emptyObject(schema), to),
        (to: unknown) => fieldSetOf(shapeOf(schema), to),
      ]) {
        // What is known may be forgotten right between the two, but not twice in a row.
        assert.ok(shared(find) || shared(find))
      }
    }),
  )
})

test('elements that share their keys are owned together', () => {
  const pod = shapeOf(schemas[0]!)
  const found = newFields(pod, undefined, {
    spec: { containers: [{ name: 'a', image: 'x' }, { name: 'b' }, { name: 'a', image: 'y' }] },
  })
  const containers = found!['f:spec']!['f:containers']!
  assert.equal(containers['k:{"name":"a"}'], leaf)
  assert.deepEqual(containers['k:{"name":"b"}'], { '.': {}, 'f:name': {} })
})

test('more shapes than are remembered only cost the memory of them', () => {
  const schema = definition('api.core.v1.ConfigMap')
  const big = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key-${i}`, 'x']))
  assert.equal(Object.keys(newFields(shapeOf(schema), undefined, { data: big })!['f:data']!).length, 501)
  for (let i = 0; i < 25_000; i++) newFields(shapeOf(schema), undefined, { data: { [`other-${i}`]: 'x' } })
  assert.deepEqual(Object.keys(newFields(shapeOf(schema), undefined, { data: { a: 'x', b: 'y' } })!['f:data']!), [
    '.',
    'f:a',
    'f:b',
  ])
})
