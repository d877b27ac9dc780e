import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FieldSet } from './field-set.ts'
import {
  canonical,
  difference,
  differenceWithin,
  has,
  intersection,
  isEmpty,
  noFields,
  pathsOf,
  sameFields,
  setOf,
  union,
} from './field-set.ts'
import { compareSteps, pathText, valueStep } from './path-element.ts'

const step = fc.constantFrom(
  'f:a',
  'f:b',
  'f:spec',
  'k:{"name":"x"}',
  'k:{"name":"y"}',
  'k:{"port":80,"protocol":"TCP"}',
  'v:"x"',
  'v:2',
  'i:0',
)
const path = fc.array(step, { minLength: 1, maxLength: 4 })
const fields = fc.array(path, { maxLength: 8 }).map((paths) => setOf(...paths))

const members = (set: FieldSet): Set<string> => new Set([...pathsOf(set)].map((steps) => JSON.stringify(steps)))
const sortedMembers = (set: FieldSet): string[] => [...members(set)].sort()

test('union, intersection and difference are those of the sets of paths', () => {
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      assert.deepEqual(sortedMembers(union(a, b)), [...members(a).union(members(b))].sort())
      assert.deepEqual(sortedMembers(intersection(a, b)), [...members(a).intersection(members(b))].sort())
      assert.deepEqual(sortedMembers(difference(a, b)), [...members(a).difference(members(b))].sort())
    }),
  )
})

test('a difference within a set takes what is below along', () => {
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const gone = [...pathsOf(b)]
      const kept = [...pathsOf(a)].filter(
        (steps) => !gone.some((prefix) => prefix.every((part, i) => steps[i] === part)),
      )
      assert.deepEqual(sortedMembers(differenceWithin(a, b)), kept.map((steps) => JSON.stringify(steps)).sort())
    }),
  )
})

test('every operation gives a canonical set', () => {
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      for (const set of [union(a, b), intersection(a, b), difference(a, b), differenceWithin(a, b)])
        assert.equal(canonical(set), set)
    }),
  )
})

test('what changes nothing gives the very same set', () => {
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const both = union(a, b)
      assert.equal(union(both, a), both)
      const rest = difference(a, b)
      assert.equal(difference(rest, b), rest)
      assert.equal(difference(a, noFields), a)
      assert.equal(intersection(a, a), a)
    }),
  )
})

test('sets survive JSON, in whatever order they come', () => {
  fc.assert(
    fc.property(fields, (set) => {
      const reversed = (node: FieldSet): FieldSet =>
        Object.fromEntries(
          Object.keys(node)
            .reverse()
            .map((key) => [key, reversed(node[key]!)]),
        )
      const read = canonical(JSON.parse(JSON.stringify(reversed(set))))!
      assert.equal(JSON.stringify(read), JSON.stringify(set))
      assert.ok(sameFields(read, set))
    }),
  )
})

test('a set is written as upstream writes it: fields, keys, values and indices, each in order', () => {
  const set = setOf(
    ['f:b'],
    ['f:a', 'v:"x"'],
    ['f:a', 'k:{"port":443}'],
    ['f:a', 'k:{"port":80}'],
    ['f:a', 'f:z'],
    ['f:a', 'i:1'],
    ['f:a'],
  )
  assert.equal(
    JSON.stringify(set),
    '{"f:a":{".":{},"f:z":{},"k:{\\"port\\":80}":{},"k:{\\"port\\":443}":{},"v:\\"x\\"":{},"i:1":{}},"f:b":{}}',
  )
})

test('steps that a later version may know are dropped', () => {
  assert.deepEqual(canonical({ 'f:a': {}, 'x:new': {}, 'k:broken': {} }), { 'f:a': {} })
  assert.equal(canonical('nothing'), undefined)
  assert.ok(isEmpty(canonical({ '.': {} })!))
})

test('has finds members only', () => {
  const set = setOf(['f:a', 'f:b'])
  assert.ok(has(set, ['f:a', 'f:b']))
  assert.ok(!has(set, ['f:a']))
  assert.ok(!has(set, []))
})

test('values are ordered by kind, then by value', () => {
  assert.deepEqual(['v:true', 'v:"b"', 'v:10', 'v:9', 'v:"a"'].sort(compareSteps), [
    'v:9',
    'v:10',
    'v:"a"',
    'v:"b"',
    'v:true',
  ])
  assert.deepEqual(['k:{"a":1,"b":2}', 'k:{"a":1}', 'k:{"a":0,"z":9}'].sort(compareSteps), [
    'k:{"a":0,"z":9}',
    'k:{"a":1}',
    'k:{"a":1,"b":2}',
  ])
})

test('paths are shown as conflicts show them', () => {
  assert.equal(
    pathText(['f:spec', 'f:containers', 'k:{"containerPort":80,"protocol":"TCP"}', 'v:"x"', 'i:3']),
    '.spec.containers[containerPort=80,protocol="TCP"][="x"][3]',
  )
  assert.equal(valueStep('a<b'), 'v:"a\\u003cb"')
})
