import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kind } from '../kind.ts'
import { kindDefinitions } from '../kinds.ts'
import { newKindTable } from '../table.ts'
import { labelCell, subjectCells } from './cells.ts'
import { partialList, partialObject } from './partial-object.ts'
import { includeObjectOf, newTable, rowHoldsUntil } from './table.ts'

const nowMs = Date.UTC(2026, 0, 2)
const kinds = newKindTable(kindDefinitions)
const metadata = { name: 'x', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' }
const kindOf = (group: string, version: string, plural: string): Kind => kinds.byResource(group, version, plural)!

test('a table has a row an object, with its metadata, all of it or nothing', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } }
  const configMaps = kindOf('', 'v1', 'configmaps')
  const table = newTable(configMaps, [object], { nowMs })
  assert.deepEqual(table.metadata, { resourceVersion: '7' })
  assert.deepEqual(
    table.columnDefinitions?.map(({ name }) => name),
    ['Name', 'Data', 'Age'],
  )
  assert.deepEqual(table.rows, [
    { cells: ['x', 1, '24h'], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } },
  ])
  assert.equal(newTable(configMaps, [object], { nowMs, include: 'Object' }).rows![0]!.object, object)
  assert.equal(newTable(configMaps, [object], { nowMs, include: 'None' }).rows![0]!.object, null)
  assert.equal(newTable(configMaps, [object], { nowMs, noHead: true }).columnDefinitions, null)
})

test('the parameter that says what rows carry is checked', () => {
  assert.equal(includeObjectOf(null), 'Metadata')
  assert.throws(() => includeObjectOf('Everything'), { code: 400 })
})

test('a table without objects has no rows, which is null where upstream has no printer', () => {
  assert.deepEqual(newTable(kindOf('', 'v1', 'configmaps'), [], { nowMs }).rows, [])
  assert.equal(newTable(kindOf('', 'v1', 'limitranges'), [], { nowMs }).rows, null)
})

test('an empty metadata-only list is null', () => {
  assert.deepEqual(partialList(kindOf('', 'v1', 'configmaps'), [], { metadata: { resourceVersion: '7' } }), {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    items: null,
  })
})

test('annotations that stand for fields of old are only shown with the whole object', () => {
  const object = {
    metadata: { ...metadata, annotations: { 'deprecated.daemonset.template.generation': '1', note: 'x' } },
  }
  assert.deepEqual(partialObject(kindOf('apps', 'v1', 'daemonsets'), object).metadata?.annotations, { note: 'x' })
  assert.deepEqual(partialObject(kindOf('apps', 'v1', 'deployments'), object).metadata, object.metadata)
})

test('every kind shows a row for the barest object of it', () => {
  for (const kind of kinds.all()) {
    if (kind.columns.length === 0) continue
    const bare = { metadata: { name: 'x' }, roleRef: { kind: 'Role', name: 'r' }, spec: {} }
    const { rows, columnDefinitions } = newTable(kind, [bare], { nowMs })
    const [row] = rows!
    const cells = row!.cells.length
    // Upstream's table of IPAddresses has a cell more than columns.
    assert.equal(
      kind.resource.plural === 'ipaddresses' ? cells - 1 : cells,
      columnDefinitions!.length,
      kind.resource.plural,
    )
    assert.ok(
      row!.cells.every((cell) => cell === null || ['string', 'number', 'boolean'].includes(typeof cell)),
      kind.resource.plural,
    )
  }
})

test('a row holds as long as its age reads the same, and is never kept longer', () => {
  const kind = kindOf('', 'v1', 'pods')
  const createdMs = Date.UTC(2026, 0, 1)
  const pod = { metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' } }
  const cells = (atMs: number) => JSON.stringify(newTable(kind, [pod], { nowMs: atMs }).rows?.[0]?.cells)
  for (const ageMs of [0, 400, 900, 5_300, 150_000, 3_590_000, 3_600_000, 86_399_000, 40 * 86_400_000]) {
    const startMs = createdMs + ageMs
    const until = rowHoldsUntil(kind, pod, startMs)
    for (let at = startMs; at < until; at += 100) assert.equal(cells(at), cells(startMs), `${ageMs} at ${at - startMs}`)
    assert.equal(until > startMs, ageMs % 1000 < 800, `${ageMs}`)
  }
  assert.equal(rowHoldsUntil(kind, pod, createdMs + 40 * 86_400_000) - createdMs, 40 * 86_400_000 + 60_000)
})

test('labels are in the order of their texts, and service accounts always have a namespace before them', () => {
  assert.equal(labelCell({ app: 'x', 'app.kubernetes.io/name': 'y' }), 'app.kubernetes.io/name=y,app=x')
  assert.deepEqual(
    subjectCells([
      { kind: 'ServiceAccount', name: 'a' },
      { kind: 'ServiceAccount', name: 'b', namespace: 'n' },
    ]),
    ['', '', '/a, n/b'],
  )
})
