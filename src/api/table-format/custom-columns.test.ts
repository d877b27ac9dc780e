import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customColumns } from './custom-columns.ts'

const nowMs = Date.UTC(2026, 0, 3)
const object = {
  metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    size: 5,
    text: 'some',
    at: '2026-01-02T23:59:00Z',
    flag: true,
    ratio: 1.5,
    map: { k: 'v' },
    list: [{ v: 1 }, { v: 2 }],
  },
}

test('cells have the type that the definition says, or are empty', () => {
  const cell = (type: string, jsonPath: string) =>
    customColumns([{ name: 'Column', type, jsonPath }]).row(object, nowMs)[1]
  assert.equal(cell('integer', '.spec.size'), 5)
  assert.equal(cell('integer', '.spec.ratio'), 1)
  assert.equal(cell('integer', '.spec.text'), null)
  assert.equal(cell('number', '.spec.ratio'), 1.5)
  assert.equal(cell('boolean', '.spec.flag'), true)
  assert.equal(cell('boolean', '.spec.text'), null)
  assert.equal(cell('string', '.spec.size'), '5')
  assert.equal(cell('string', '.spec.map'), '{"k":"v"}')
  assert.equal(cell('string', '.spec.list[*].v'), '1')
  assert.equal(cell('string', '.spec.none'), null)
  assert.equal(cell('date', '.spec.at'), '60s')
  assert.equal(cell('date', '.spec.text'), '<invalid>')
})

test('without columns the age is shown, and a path that cannot be read ends them', () => {
  const plain = customColumns(undefined)
  assert.deepEqual(
    [plain.columns.map(({ name }) => name), plain.row(object, nowMs)],
    [
      ['Name', 'Age'],
      ['x', '2d'],
    ],
  )
  const broken = customColumns([
    { name: 'A', type: 'string', jsonPath: '.spec.text' },
    { name: 'B', type: 'string', jsonPath: '.spec[' },
    { name: 'C', type: 'string', jsonPath: '.spec.text' },
  ])
  assert.deepEqual(
    [broken.columns.map(({ name }) => name), broken.row(object, nowMs)],
    [
      ['Name', 'A'],
      ['x', 'some'],
    ],
  )
})
