import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Deps } from '../base/deps.ts'
import { modelProperty } from './contract-model.ts'
import { CompactedError, FutureRevisionError } from './store.ts'
import type { Change, Store, Value } from './store.ts'

/** A store of the kind under test, empty, on the deps of the test. */
export type OpenStore = () => Promise<{
  readonly store: Store
  readonly deps: Deps
  readonly close: () => Promise<void>
}>

/** A value from text. */
export const valueOf = (text: string): Value => ({ bytes: Buffer.from(text) })
/** The text of a value. */
export const textOf = (value: Value): string => Buffer.from(value.bytes).toString()

const at = (text: string) => (revision: number) => valueOf(`${text}@${revision}`)

/** What every store does. */
export function storeContract(name: string, open: OpenStore): void {
  const check = (title: string, run: (store: Store, deps: Deps) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const { store, deps, close } = await open()
      try {
        await run(store, deps)
      } finally {
        await close()
      }
    })

  check('an empty store is at revision 1 and has nothing', async (store) => {
    assert.equal(store.revision(), 1)
    assert.equal(store.compactedRevision(), 1)
    assert.equal(await store.get('/a'), undefined)
    assert.deepEqual(await store.range('/'), { entries: [], more: false, count: 0, revision: 1 })
  })

  check('a put gives the value its revision and is there when it resolves', async (store) => {
    const result = await store.put('/a/1', at('x'), 'absent')
    assert.ok(result.written)
    assert.equal(textOf(result.entry.value), 'x@2')
    const entry = await store.get('/a/1')
    assert.deepEqual(
      [textOf(entry!.value), entry!.createRevision, entry!.modRevision, entry!.version],
      ['x@2', 2, 2, 1],
    )
    await store.put('/a/1', at('y'), 2)
    const next = await store.get('/a/1')
    assert.deepEqual([textOf(next!.value), next!.createRevision, next!.modRevision, next!.version], ['y@3', 2, 3, 2])
  })

  check('a write whose condition does not hold writes nothing and tells what is there', async (store) => {
    await store.put('/a', at('x'), 'absent')
    for (const expected of ['absent', 1, 3] as const) {
      const result = await store.put('/a', at('y'), expected)
      assert.equal(result.written, false)
      assert.equal(!result.written && textOf(result.current!.value), 'x@2')
    }
    assert.deepEqual(await store.put('/b', at('y'), 2), { written: false, current: undefined })
    assert.deepEqual(await store.delete('/b', 'any'), { written: false, current: undefined })
    assert.equal((await store.delete('/a', 9)).written, false)
    assert.equal(store.revision(), 2)
  })

  check('a value that cannot be made leaves nothing behind', async (store) => {
    await assert.rejects(
      store.put(
        '/a',
        () => {
          throw new Error('no')
        },
        'any',
      ),
      /no/,
    )
    const result = await store.put('/a', at('x'), 'absent')
    assert.equal(result.written && result.entry.modRevision, 2)
  })

  check('of concurrent writes of one revision exactly one wins, and the losers see it', async (store) => {
    await store.put('/a', at('first'), 'absent')
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => store.put('/a', at(`w${i}`), 2)))
    assert.equal(results.filter(({ written }) => written).length, 1)
    for (const result of results) if (!result.written) assert.equal(textOf(result.current!.value), 'w0@3')
    assert.equal(textOf((await store.get('/a'))!.value), 'w0@3')
  })

  check('concurrent writes get revisions in the order of their calls', async (store) => {
    const results = await Promise.all(Array.from({ length: 300 }, (_, i) => store.put(`/a/${i}`, at(`${i}`), 'absent')))
    assert.deepEqual(
      results.map((result) => result.written && result.entry.modRevision),
      Array.from({ length: 300 }, (_, i) => i + 2),
    )
  })

  check('a delete and a new creation in the same breath follow each other', async (store) => {
    await store.put('/a', at('one'), 'absent')
    const [gone, made, lost] = await Promise.all([
      store.delete('/a', 2),
      store.put('/a', at('two'), 'absent'),
      store.delete('/a', 2),
    ])
    assert.equal(gone.written, true)
    assert.ok(made.written)
    assert.deepEqual([made.entry.createRevision, made.entry.version], [4, 1])
    assert.equal(!lost.written && textOf(lost.current!.value), 'two@4')
  })

  check('ranges are in key order, with limit, start and count', async (store) => {
    for (const key of ['/b/2', '/a/1', '/b/1', '/b/10', '/c/1', '/bb/1']) await store.put(key, at(key), 'absent')
    const keys = async (...args: Parameters<Store['range']>) =>
      (await store.range(...args)).entries.map(({ key }) => key)
    assert.deepEqual(await keys('/b/'), ['/b/1', '/b/10', '/b/2'])
    assert.deepEqual(await keys('/b/', { from: '/b/10' }), ['/b/10', '/b/2'])
    assert.deepEqual(await keys('/b/', { from: '/a' }), ['/b/1', '/b/10', '/b/2'])
    const page = await store.range('/b/', { limit: 2 })
    assert.deepEqual([page.entries.length, page.more, page.count], [2, true, 3])
    const rest = await store.range('/b/', { limit: 2, from: '/b/2' })
    assert.deepEqual([rest.entries.length, rest.more, rest.count], [1, false, 1])
  })

  check('reads see old revisions until they are compacted, and none from the future', async (store) => {
    await store.put('/a', at('x'), 'any') // 2
    await store.put('/b', at('x'), 'any') // 3
    await store.put('/a', at('y'), 'any') // 4
    await store.delete('/b', 'any') // 5
    await store.put('/c', at('x'), 'any') // 6
    const stateAt = async (revision: number) =>
      (await store.range('/', { revision })).entries.map(({ key, value }) => key + textOf(value))
    assert.deepEqual(await stateAt(1), [])
    assert.deepEqual(await stateAt(3), ['/ax@2', '/bx@3'])
    assert.deepEqual(await stateAt(4), ['/ay@4', '/bx@3'])
    assert.deepEqual(await stateAt(5), ['/ay@4'])
    assert.deepEqual(await stateAt(6), ['/ay@4', '/cx@6'])
    assert.equal(textOf((await store.get('/a', 3))!.value), 'x@2')
    assert.equal(await store.get('/b', 5), undefined)
    assert.equal((await store.range('/', { revision: 3, limit: 1 })).count, 2)
    await store.compact(4)
    assert.equal(store.compactedRevision(), 4)
    assert.deepEqual(await stateAt(4), ['/ay@4', '/bx@3'])
    assert.equal(textOf((await store.get('/b', 4))!.value), 'x@3')
    await assert.rejects(stateAt(3), CompactedError)
    await assert.rejects(store.get('/a', 3), CompactedError)
    await assert.rejects(store.get('/a', 7), FutureRevisionError)
    await assert.rejects(store.range('/', { revision: 7 }), FutureRevisionError)
    await assert.rejects(store.compact(7), FutureRevisionError)
    await assert.rejects(store.compact(3), CompactedError)
  })

  check('everything up to now can be compacted, and the counter goes on', async (store) => {
    await store.put('/a', at('x'), 'any')
    await store.delete('/a', 'any')
    await store.compact(3)
    assert.deepEqual((await store.range('/')).entries, [])
    const result = await store.put('/a', at('x'), 'absent')
    assert.equal(result.written && result.entry.modRevision, 4)
    await store.compact(4)
    assert.equal(textOf((await store.get('/a'))!.value), 'x@4')
  })

  check('a watcher hears of every change before the writer does, in order, with what was there', async (store) => {
    const heard: string[] = []
    const tell = (change: Change) =>
      heard.push(
        `${change.type} ${change.key} ${textOf(change.entry.value)} was ${change.previous ? textOf(change.previous.value) : 'nothing'}`,
      )
    store.watch('/a/', store.revision(), (changes) => changes.forEach(tell))
    await store.put('/a/1', at('x'), 'any').then(() => heard.push('done'))
    await store.put('/b/1', at('x'), 'any')
    await store.put('/a/1', at('y'), 'any')
    await store.delete('/a/1', 'any', at('last'))
    await store.put('/a/1', at('z'), 'any')
    await store.delete('/a/1', 'any')
    assert.deepEqual(heard, [
      'put /a/1 x@2 was nothing',
      'done',
      'put /a/1 y@4 was x@2',
      'delete /a/1 last@5 was y@4',
      'put /a/1 z@6 was nothing',
      'delete /a/1 z@6 was z@6',
    ])
  })

  check('a watcher that begins in the past hears what it missed first', async (store) => {
    await store.put('/a', at('x'), 'any')
    await store.put('/b', at('x'), 'any')
    await store.delete('/a', 'any', at('last'))
    const heard: number[] = []
    store.watch('/', 2, (changes) => heard.push(...changes.map(({ revision }) => revision)))
    await store.put('/c', at('x'), 'any')
    assert.deepEqual(heard, [3, 4, 5])
    const { changes, revision } = await store.history('/a', 1)
    assert.deepEqual(
      changes.map(({ type, entry }) => [type, textOf(entry.value)]),
      [
        ['put', 'x@2'],
        ['delete', 'last@4'],
      ],
    )
    assert.equal(revision, 5)
    await store.compact(4)
    assert.throws(() => store.watch('/', 3, () => {}), CompactedError)
    await assert.rejects(store.history('/', 3), CompactedError)
    store.watch('/', 4, () => {}).close()
  })

  check('a watcher that begins in the future hears nothing from before', async (store) => {
    const heard: number[] = []
    store.watch('/', 3, (changes) => heard.push(...changes.map(({ revision }) => revision)))
    for (let i = 0; i < 4; i++) await store.put('/a', at('x'), 'any')
    assert.deepEqual(heard, [4, 5])
  })

  check('a closed watcher hears nothing, and one that throws does not keep others from hearing', async (store) => {
    const heard: number[] = []
    store.watch('/', 1, () => {
      throw new Error('broken watcher')
    })
    const watch = store.watch('/', 1, (changes) => heard.push(...changes.map(({ revision }) => revision)))
    await store.put('/a', at('x'), 'any')
    watch.close()
    await store.put('/a', at('x'), 'any')
    assert.deepEqual(heard, [2])
  })

  check('a watcher may write: everybody hears in revision order', async (store) => {
    const heard: number[] = []
    let answered: Promise<unknown> | undefined
    store.watch('/', 1, (changes) => {
      if (changes[0]!.key === '/question') answered = store.put('/answer', at('42'), 'any')
    })
    store.watch('/', 1, (changes) => heard.push(...changes.map(({ revision }) => revision)))
    await store.put('/question', at('?'), 'any')
    await answered
    assert.deepEqual(heard, [2, 3])
  })

  check('lazy writes are there at once, for readers and watchers, and in order with others', async (store) => {
    const heard: string[] = []
    store.watch('/', 1, (changes) => heard.push(...changes.map(({ key, revision }) => `${key}@${revision}`)))
    for (let i = 0; i < 3; i++) await store.put('/lease', at('l'), 'any', { lazyMs: 60_000 })
    await Promise.all([store.put('/a', at('x'), 'any'), store.put('/lease', at('l'), 4, { lazyMs: 60_000 })])
    await store.put('/lease', at('l'), 6, { lazyMs: 60_000 })
    assert.deepEqual(heard, ['/lease@2', '/lease@3', '/lease@4', '/a@5', '/lease@6', '/lease@7'])
    assert.equal(textOf((await store.get('/lease'))!.value), 'l@7')
    assert.equal(textOf((await store.get('/lease', 3))!.value), 'l@3')
    const { entries, count } = await store.range('/')
    assert.deepEqual([entries.map(({ value }) => textOf(value)), count], [['x@5', 'l@7'], 2])
    await store.delete('/lease', 7)
    assert.equal(await store.get('/lease'), undefined)
    assert.equal((await store.history('/lease', 1)).changes.length, 6)
  })

  check('after close every call rejects', async (store) => {
    await store.close()
    await store.close()
    await assert.rejects(store.get('/a'), /closed/)
    await assert.rejects(store.range('/'), /closed/)
    await assert.rejects(store.put('/a', at('x'), 'any'), /closed/)
    await assert.rejects(store.delete('/a', 'any'), /closed/)
    await assert.rejects(store.history('/', 1), /closed/)
    await assert.rejects(store.compact(1), /closed/)
    assert.throws(() => store.watch('/', 1, () => {}), /closed/)
  })

  test(`${name}: behaves as a simple model does, whatever is asked of it`, async () => {
    await fc.assert(modelProperty(open), { numRuns: 40 })
  })
}
