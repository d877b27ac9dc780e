import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListChunks } from './list-chunks.ts'

/** Copies, since only the last two chunks stay as they are. */
const chunksOf = (body: ConstructorParameters<typeof ListChunks>[0]) =>
  Array.from(new ListChunks(body), ({ content }) => Buffer.from(content))
const textOf = (body: ConstructorParameters<typeof ListChunks>[0]) => chunksOf(body).map(String).join('')

test('a list without items is its head and tail', () => {
  assert.equal(textOf({ head: '{"items":[', items: [], tail: ']}' }), '{"items":[]}')
})

test('items are joined, and leave out what the list says for them', () => {
  const items = [
    { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } },
  ].map((item) => Buffer.from(JSON.stringify(item)))
  assert.equal(textOf({ head: '[', items, tail: ']' }), `[${items.join(',')}]`)
  assert.equal(
    textOf({ head: '[', items, tail: ']', itemHead: '"kind":"Pod","apiVersion":"v1",' }),
    '[{"metadata":{"name":"a"}},{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}]',
  )
})

test('items may be apart by more than a comma', () => {
  assert.equal(
    textOf({ head: '[', items: ['1', '2'].map((text) => Buffer.from(text)), tail: ']', separator: ',\n  ' }),
    '[1,\n  2]',
  )
})

test('a long list comes in chunks of 256 KiB, larger only for a larger item', () => {
  const items = [7000, 100, 300_000, 262_144, 1, 7000].flatMap((size, i) =>
    Array.from({ length: i === 0 ? 100 : 1 }, () => Buffer.alloc(size, 'x')),
  )
  const chunks = chunksOf({ head: '[', items, tail: ']' })
  assert.equal(Buffer.concat(chunks).toString(), `[${items.map(String).join(',')}]`)
  assert.ok(chunks.length > 3)
  assert.ok(chunks.every(({ byteLength }) => byteLength <= 300_002))
})

test('a chunk frames itself for HTTP/1.1 where it lies', () => {
  const items = ['a'.repeat(9), 'b'.repeat(262_144)].map((text) => Buffer.from(text))
  const framed = Array.from(new ListChunks({ head: '[', items, tail: ']' }), (chunk) => chunk.framed.toString())
  assert.equal(framed[0], 'a\r\n[aaaaaaaaa\r\n')
  assert.equal(framed[1], `40001\r\n,${'b'.repeat(262_144)}\r\n`)
  assert.equal(framed[2], '1\r\n]\r\n')
})

test('a list that has been sent gives its memory to the next one, and ends', () => {
  const items = Array.from({ length: 100 }, () => Buffer.alloc(7000, 'x'))
  const newList = () => new ListChunks({ head: '[', items, tail: ']' })
  const memoryOf = (list: ReturnType<typeof newList>) =>
    new Set([1, 2].map(() => list.next().value!.content.buffer as ArrayBuffer))
  const first = newList()
  const memory = memoryOf(first)
  assert.equal(memory.size, 2)
  first.release()
  assert.deepEqual(first.next(), { done: true, value: undefined })
  assert.equal(memoryOf(newList()).intersection(memory).size, 2)
  assert.equal(memoryOf(newList()).intersection(memory).size, 0)
})
