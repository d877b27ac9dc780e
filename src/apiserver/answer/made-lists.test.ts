import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMaps } from '../../api/generated/resources.ts'
import type { Kind } from '../../api/kind.ts'
import type { CachedObject } from '../cache/cache.ts'
import type { ListAnswer } from './answer.ts'
import { listObject } from './json-forms.ts'
import { newKindTable } from '../../api/table.ts'
import { Query } from '../request/query.ts'
import { madeListChunks, partChunks, partOf } from './made-lists.ts'
import { plainJson } from './negotiate.ts'

const answerOf = (count: number): ListAnswer => {
  const entries = Array.from({ length: count }, (_, i) => ({
    object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: `c${i}`, labels: {} }, data: { list: '[]\n' } },
  }))
  const kind = { resource: configMaps, listKind: 'ConfigMapList' } as Kind
  return {
    type: 'list',
    kind,
    entries: entries as unknown as CachedObject[],
    resourceVersion: '7',
    continue: count > 0 ? 'a[]' : '',
    remaining: undefined,
  }
}

for (const count of [0, 1, 3]) {
  test(`a list of ${count} made item by item is the same as one made at once`, () => {
    const answer = answerOf(count)
    const textOf = (pretty: boolean) =>
      [...madeListChunks(answer, pretty)].map(({ content }) => content.toString()).join('')
    assert.equal(textOf(false), `${JSON.stringify(listObject(answer))}\n`)
    assert.equal(textOf(true), JSON.stringify(listObject(answer), undefined, 2))
  })
}

for (const count of [0, 1, 2000]) {
  for (const as of ['Table', 'PartialObjectMetadata'] as const) {
    test(`${count} items as ${as} made one by one are the same as made at once`, () => {
      const { entries } = answerOf(count)
      const kind = newKindTable([]).byResource('', 'v1', 'configmaps')!
      const answer = { ...answerOf(count), entries, kind }
      const options = { format: { ...plainJson, as }, query: Query.parse('includeObject=Object'), nowMs: 0 }
      const chunks = [...partChunks(answer, options)].map(({ content }) => content.toString())
      assert.equal(chunks.join(''), `${JSON.stringify(partOf(answer, options))}\n`)
      assert.equal(chunks.length > 1, count === 2000 && as === 'Table')
    })
  }
}
