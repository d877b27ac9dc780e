import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { KubernetesObject } from '../../api/resource.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import type { Store } from '../../store/store.ts'
import type {
  CacheEvent,
  CacheWatchOptions,
  CachedObject,
  EventEncoding,
  ObjectCache,
  ObjectCacheOptions,
  Selection,
} from './cache.ts'
import { Document } from './document.ts'
import { openObjectCache } from './object-cache.ts'

interface Pod extends KubernetesObject {
  spec?: { nodeName?: string }
}

const prefix = '/registry/pods/'

/** A cache of pods on one kind of store, with what a test does to them. */
class Bench {
  readonly clock: VirtualClock
  readonly store: Store
  readonly cache: ObjectCache

  constructor(clock: VirtualClock, store: Store, cache: ObjectCache) {
    this.clock = clock
    this.store = store
    this.cache = cache
  }

  /** Writes a pod: 'default/web', with labels and a node. */
  async put(key: string, labels: Record<string, string> = {}, nodeName?: string): Promise<number> {
    const [namespace, name] = key.split('/') as [string, string]
    const make = (revision: number) =>
      Document.ofObject({
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: { name, namespace, resourceVersion: String(revision), labels },
        ...(nodeName && { spec: { nodeName } }),
      } as Pod)
    const result = await this.store.put(prefix + key, make, 'any')
    assert.ok(result.written)
    return result.entry.modRevision
  }

  async remove(key: string): Promise<void> {
    await this.store.delete(prefix + key, 'any')
  }

  /** Starts a watch and collects what it tells. `take`: whether the sink is ready for more. */
  async watch(options: CacheWatchOptions, take: () => boolean = () => true) {
    const events: CacheEvent[] = []
    const batches: (readonly CacheEvent[])[] = []
    const bytes: Uint8Array[] = []
    const state = { ended: false }
    const watch = await this.cache.watch(options, {
      deliver(batch) {
        events.push(...batch.events)
        batches.push(batch.events)
        if (options.encoding) bytes.push(batch.bytes)
        return take()
      },
      end: () => (state.ended = true),
    })
    return { watch, events, batches, bytes, state, told: () => events.map(tellOf) }
  }
}

const tellOf = ({ type, revision, object }: CacheEvent) =>
  `${type} ${object ? `${object.key}@${object.object.metadata?.resourceVersion}` : revision}`
const keysOf = (entries: readonly CachedObject[]) => entries.map(({ key }) => key)
const app = (value: string): Selection => ({ labels: (labels) => labels['app'] === value, text: `app=${value}` })
const onNode = (node: string): Selection => ({
  fields: (field) => field('spec.nodeName') === node,
  fieldEquals: { 'spec.nodeName': node },
  text: `spec.nodeName=${node}`,
})

const stores: Record<string, (t: TestContext, clock: VirtualClock) => Promise<Store>> = {
  memory: async (_t, clock) => openMemoryStore(depsOn(clock)),
  lmdb: async (t, clock) => {
    const folder = await mkdtemp(join(tmpdir(), 'kubernode-cache-'))
    const store = await openLmdbStore({ ...depsOn(clock), folder })
    t.after(async () => {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    })
    return store
  },
}

const depsOn = (clock: VirtualClock) => ({ clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() })

const openPods = (store: Store, clock: VirtualClock, options: Partial<ObjectCacheOptions> = {}) =>
  openObjectCache({
    ...depsOn(clock),
    store,
    prefix,
    namespaced: true,
    fields: { 'spec.nodeName': (pod) => (pod as Pod).spec?.nodeName ?? '' },
    indexedFields: ['spec.nodeName'],
    ...options,
  })

/** A test on a cache over each kind of store. */
function onEach(title: string, run: (bench: Bench) => Promise<void>, options: Partial<ObjectCacheOptions> = {}): void {
  for (const [name, open] of Object.entries(stores)) {
    test(`cache on ${name}: ${title}`, async (t) => {
      const clock = new VirtualClock()
      const store = await open(t, clock)
      const cache = await openPods(store, clock, options)
      t.after(() => cache.close())
      await run(new Bench(clock, store, cache))
    })
  }
}

onEach('a write is there when it has been awaited, with its bytes', async (bench) => {
  await bench.put('default/web', { app: 'web' }, 'node-1')
  const object = bench.cache.get('default/web')!
  assert.deepEqual(
    [
      object.namespace,
      object.name,
      object.revision,
      object.labels,
      object.field('spec.nodeName'),
      object.field('metadata.name'),
      object.field('x'),
    ],
    ['default', 'web', 2, { app: 'web' }, 'node-1', 'web', undefined],
  )
  assert.equal(
    Buffer.from(object.bytes).toString(),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default","resourceVersion":"2","labels":{"app":"web"}},"spec":{"nodeName":"node-1"}}',
  )
  await bench.remove('default/web')
  assert.equal(bench.cache.get('default/web'), undefined)
  assert.equal(bench.cache.revision(), 3)
})

onEach('a cache that is opened later finds what is there, and follows it', async (bench) => {
  for (let i = 0; i < 450; i++) await bench.put(`default/pod-${String(i).padStart(3, '0')}`, {}, `node-${i % 3}`)
  await bench.remove('default/pod-007')
  const cache = await openPods(bench.store, bench.clock)
  await bench.put('default/z')
  assert.equal(cache.count(), 450)
  assert.equal(cache.listNow(onNode('node-1')).length, 149)
  const { changes } = await bench.store.history(prefix, 1)
  assert.equal(changes.length, 452)
  cache.close()
})

onEach('lists are in key order and keep to their selection', async (bench) => {
  for (const [key, label, node] of [
    ['b/2', 'x', 'n1'],
    ['a/1', 'x', 'n2'],
    ['b/1', 'y', 'n1'],
    ['b/10', 'x', ''],
    ['a-b/1', 'x', 'n1'],
  ] as const)
    await bench.put(key, { app: label }, node)
  const list = async (options: Selection) => keysOf((await bench.cache.list(options)).entries)
  assert.deepEqual(await list({}), ['a-b/1', 'a/1', 'b/1', 'b/10', 'b/2'])
  assert.deepEqual(await list({ namespace: 'b' }), ['b/1', 'b/10', 'b/2'])
  assert.deepEqual(await list({ namespace: 'b', name: '1' }), ['b/1'])
  assert.deepEqual(await list({ name: '1' }), ['a-b/1', 'a/1', 'b/1'])
  assert.deepEqual(await list(app('x')), ['a-b/1', 'a/1', 'b/10', 'b/2'])
  assert.deepEqual(await list(onNode('n1')), ['a-b/1', 'b/1', 'b/2'])
  assert.deepEqual(await list({ ...onNode('n1'), namespace: 'b' }), ['b/1', 'b/2'])
  await bench.put('b/1', { app: 'y' }, 'n2')
  assert.deepEqual(await list(onNode('n1')), ['a-b/1', 'b/2'])
  assert.deepEqual(await list(onNode('n2')), ['a/1', 'b/1'])
  assert.deepEqual([bench.cache.count(), bench.cache.count('b'), bench.cache.count('c')], [5, 3, 0])
})

onEach('pages of a revision that the store has forgotten are refused, also when memory has it still', async (bench) => {
  for (let i = 0; i < 6; i++) await bench.put(`default/p${i}`)
  const first = await bench.cache.list({ limit: 2 })
  await bench.put('default/p6')
  await bench.store.compact(8)
  await assert.rejects(bench.cache.list({ limit: 2, after: 'default/p1', revision: first.revision }), { code: 410 })
  assert.equal((await bench.cache.list({ limit: 2, after: 'default/p1' })).remaining, 3)
})

onEach('pages go on at the revision of the first, whatever is written meanwhile', async (bench) => {
  for (let i = 0; i < 6; i++) await bench.put(`default/p${i}`)
  const first = await bench.cache.list({ limit: 2 })
  assert.deepEqual(
    [keysOf(first.entries), first.more, first.remaining, first.revision],
    [['default/p0', 'default/p1'], true, 4, 7],
  )
  await bench.remove('default/p2')
  await bench.put('default/p3', { changed: 'yes' })
  await bench.put('default/p25')
  await bench.remove('default/p5')
  const second = await bench.cache.list({ limit: 2, after: 'default/p1', revision: first.revision })
  assert.deepEqual(
    [keysOf(second.entries), second.entries[1]!.revision, second.remaining, second.revision],
    [['default/p2', 'default/p3'], 5, 2, 7],
  )
  const last = await bench.cache.list({ limit: 2, after: 'default/p3', revision: first.revision })
  assert.deepEqual([keysOf(last.entries), last.more, last.remaining], [['default/p4', 'default/p5'], false, undefined])
  assert.deepEqual(keysOf((await bench.cache.list({ after: 'default/p1' })).entries), [
    'default/p25',
    'default/p3',
    'default/p4',
  ])
})

onEach('an older list keeps to its selection as the objects were then', async (bench) => {
  await bench.put('default/a', {}, 'n1')
  await bench.put('default/b', {}, 'n2')
  await bench.put('default/c', {}, 'n1') // 4
  await bench.put('default/a', {}, 'n2')
  await bench.put('default/b', {}, 'n1')
  await bench.remove('default/c')
  assert.deepEqual(keysOf((await bench.cache.list({ ...onNode('n1'), revision: 4 })).entries), [
    'default/a',
    'default/c',
  ])
  assert.deepEqual(keysOf((await bench.cache.list(onNode('n1'))).entries), ['default/b'])
})

onEach(
  'what the cache forgot is read from the store, until that has forgotten it too',
  async (bench) => {
    for (let i = 0; i < 5; i++) await bench.put(`default/p${i}`, { app: i % 2 ? 'odd' : 'even' }) // up to 6
    for (let i = 0; i < 20; i++) await bench.put('default/busy', { app: 'odd' })
    await bench.remove('default/p1')
    const list = await bench.cache.list({ ...app('odd'), revision: 6, limit: 1 })
    assert.deepEqual([keysOf(list.entries), list.more], [['default/p1'], true])
    assert.deepEqual(keysOf((await bench.cache.list({ ...app('odd'), revision: 6, after: 'default/p1' })).entries), [
      'default/p3',
    ])
    const { told } = await bench.watch({ from: 4, ...app('odd') })
    await bench.clock.settle()
    assert.deepEqual(
      [told().length, told()[0], told()[1], told()[2], told().at(-1)],
      [22, 'ADDED default/p3@5', 'ADDED default/busy@7', 'MODIFIED default/busy@8', 'DELETED default/p1@27'],
    )
    await bench.store.compact(10)
    await assert.rejects(bench.cache.list({ revision: 6 }), { code: 410, message: /too old/ })
    await assert.rejects(bench.watch({ from: 6 }), { code: 410, message: 'too old resource version: 6 (10)' })
  },
  { historyEventsMax: 4 },
)

onEach('a resource version of the future is waited for, and refused after three seconds', async (bench) => {
  await bench.put('default/a')
  await assert.rejects(bench.cache.list({ revision: 3 }), { code: 504 })
  const waited = bench.cache.waitForRevision(4).then(() => 'there')
  await bench.put('default/a')
  await bench.store.put('/registry/other/x', () => ({ bytes: Buffer.from('{}') }), 'any')
  assert.equal(await waited, 'there')
  const refused = assert.rejects(bench.cache.waitForRevision(9), {
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: Too large resource version: 9, current: 4',
  })
  await bench.clock.advance(3000)
  await refused
})

onEach('who waits for a resource version when the store has ended leaves nothing behind', async (bench) => {
  await bench.store.close()
  await assert.rejects(bench.cache.waitForRevision(bench.store.revision() + 1), /closed/)
  // A timer that nobody waits for any more would end the process with an unhandled rejection.
  await bench.clock.advance(3000)
  await new Promise((resolve) => setImmediate(resolve))
})

onEach('a watch tells what happens, all of one turn together', async (bench) => {
  const { told, batches } = await bench.watch({ from: 'now' })
  await Promise.all([bench.put('default/a'), bench.put('default/b')])
  await bench.clock.settle()
  await bench.put('default/a')
  await bench.remove('default/a')
  await bench.clock.settle()
  assert.deepEqual(told(), ['ADDED default/a@2', 'ADDED default/b@3', 'MODIFIED default/a@4', 'DELETED default/a@5'])
  assert.equal(batches[0]!.length, 2)
})

onEach(
  'an object that stops matching is deleted in its last matching state, one that starts is added',
  async (bench) => {
    await bench.put('default/a', { app: 'x' })
    const watches = await Promise.all([
      bench.watch({ from: 'now', ...app('x') }),
      bench.watch({ from: 'now', ...onNode('n1') }),
    ])
    await bench.put('default/a', { app: 'y' }, 'n1')
    await bench.put('default/a', { app: 'x' }, 'n2')
    await bench.put('default/a', { app: 'x' }, 'n1')
    await bench.remove('default/a')
    await bench.put('default/b', { app: 'y' })
    await bench.clock.settle()
    assert.deepEqual(watches[0].told(), [
      'DELETED default/a@3',
      'ADDED default/a@4',
      'MODIFIED default/a@5',
      'DELETED default/a@6',
    ])
    assert.deepEqual(watches[0].events[0]!.object!.labels, { app: 'x' })
    assert.deepEqual(watches[1].told(), [
      'ADDED default/a@3',
      'DELETED default/a@4',
      'ADDED default/a@5',
      'DELETED default/a@6',
    ])
  },
)

onEach(
  'a watch from a revision tells each change after it exactly once, also those of this very turn',
  async (bench) => {
    await bench.put('default/a')
    await bench.put('default/b')
    const { told } = await bench.watch({ from: 2 })
    await bench.put('default/c')
    await bench.clock.settle()
    await bench.put('default/d')
    await bench.clock.settle()
    assert.deepEqual(told(), ['ADDED default/b@3', 'ADDED default/c@4', 'ADDED default/d@5'])
    const future = await bench.watch({ from: 6, bookmarks: true })
    await bench.put('default/e')
    await bench.put('default/f')
    await bench.clock.settle()
    assert.deepEqual(future.told(), ['ADDED default/f@7'])
  },
)

onEach('initial events come first, then a bookmark that says so, then what follows', async (bench) => {
  for (const name of ['b', 'a', 'c']) await bench.put(`default/${name}`, { app: name === 'c' ? 'y' : 'x' })
  const { told, events } = await bench.watch({ from: 'initial-with-bookmark', bookmarks: true, ...app('x') })
  await bench.put('default/d', { app: 'x' })
  await bench.clock.settle()
  assert.deepEqual(told(), ['ADDED default/a@3', 'ADDED default/b@2', 'BOOKMARK 4', 'ADDED default/d@5'])
  assert.equal(events[2]!.initialEventsEnd, true)
  const legacy = await bench.watch({ from: 'initial', namespace: 'default', name: 'a' })
  await bench.clock.settle()
  assert.deepEqual(legacy.told(), ['ADDED default/a@3'])
})

onEach('bookmarks come once a minute, and when they are asked for', async (bench) => {
  const { watch, told } = await bench.watch({ from: 'now', bookmarks: true })
  const plain = await bench.watch({ from: 'now' })
  await bench.clock.advance(60_000)
  await bench.store.put('/registry/other/x', () => ({ bytes: Buffer.from('{}') }), 'any')
  await bench.clock.advance(60_000)
  await bench.put('default/a')
  watch.bookmark()
  await bench.clock.settle()
  watch.bookmark()
  assert.deepEqual(told(), ['BOOKMARK 1', 'BOOKMARK 2', 'BOOKMARK 2', 'ADDED default/a@3', 'BOOKMARK 3'])
  assert.deepEqual(plain.told(), ['ADDED default/a@3'])
  watch.close()
  await bench.clock.advance(600_000)
  assert.equal(told().length, 5)
})

onEach('a sink that is not ready gets the rest when it is, in order and once', async (bench) => {
  let ready = false
  const { watch, told } = await bench.watch({ from: 'initial' }, () => ready)
  for (let i = 0; i < 5; i++) {
    await bench.put(`default/p${i}`)
    await bench.clock.settle()
  }
  assert.deepEqual(told(), ['ADDED default/p0@2'])
  ready = true
  watch.resume()
  await bench.put('default/p5')
  await bench.clock.settle()
  assert.deepEqual(told(), [
    'ADDED default/p0@2',
    'ADDED default/p1@3',
    'ADDED default/p2@4',
    'ADDED default/p3@5',
    'ADDED default/p4@6',
    'ADDED default/p5@7',
  ])
})

onEach(
  'a watch that does not keep up is ended, and others are not',
  async (bench) => {
    const slow = await bench.watch({ from: 'now' }, () => false)
    const good = await bench.watch({ from: 'now' })
    for (let i = 0; i < 12; i++) {
      await bench.put('default/a')
      await bench.clock.settle()
    }
    assert.deepEqual([slow.state.ended, slow.events.length, good.state.ended, good.events.length], [true, 1, false, 12])
    slow.watch.resume()
    await bench.clock.settle()
    assert.equal(slow.events.length, 1)
  },
  { historyEventsMax: 8 },
)

onEach('watches that ask for the same share one encoding of each event and of each batch', async (bench) => {
  let encoded = 0
  let framed = 0
  const encoding: EventEncoding = {
    encode({ type, object }) {
      encoded++
      return Buffer.from(`${type} ${object!.key}\n`)
    },
    frame(pieces) {
      framed++
      return Buffer.concat([Buffer.from('<'), ...pieces, Buffer.from('>')])
    },
  }
  const watches = await Promise.all(Array.from({ length: 50 }, () => bench.watch({ from: 'now', encoding })))
  const selective = await Promise.all(
    Array.from({ length: 50 }, () => bench.watch({ from: 'now', encoding, ...app('x') })),
  )
  await bench.clock.settle()
  await Promise.all([bench.put('default/a', { app: 'x' }), bench.put('default/b', { app: 'y' })])
  await bench.clock.settle()
  assert.deepEqual([encoded, framed], [2, 2])
  for (const { bytes } of watches) assert.equal(bytes[0], watches[0]!.bytes[0])
  assert.equal(Buffer.from(watches[7]!.bytes[0]!).toString(), '<ADDED default/a\nADDED default/b\n>')
  assert.equal(Buffer.from(selective[7]!.bytes[0]!).toString(), '<ADDED default/a\n>')
})

onEach('a closed watch is told nothing more; closing the cache ends the others', async (bench) => {
  const closed = await bench.watch({ from: 'now' })
  const open = await bench.watch({ from: 'now' })
  await bench.put('default/a')
  closed.watch.close()
  await bench.clock.settle()
  assert.deepEqual([closed.events.length, open.events.length], [0, 1])
  bench.cache.close()
  assert.deepEqual([closed.state.ended, open.state.ended], [false, true])
})

test('cache on memory: the object that was written is the object that is read, without a byte made', async () => {
  const clock = new VirtualClock()
  const store = openMemoryStore(depsOn(clock))
  const cache = await openPods(store, clock)
  const pod: Pod = { metadata: { name: 'a', namespace: 'default' } }
  const document = Document.ofObject(pod)
  await store.put(`${prefix}default/a`, () => document, 'any')
  assert.equal(cache.get('default/a')!.object, pod)
  assert.equal(document.bytesHeld, 0)
})

/** A client that lists and watches must end up with what the cache has, whatever is written and however slow it is. */
for (const name of ['memory', 'lmdb'] as const) {
  test(`cache on ${name}: list and watch together always give the present state`, async (t) => {
    const write = fc.record({
      key: fc.constantFrom('a/1', 'a/2', 'b/1', 'b/2', 'b/3'),
      label: fc.constantFrom('x', 'y', 'gone'),
      node: fc.constantFrom('n1', 'n2'),
    })
    const selection = fc.constantFrom<Selection>(
      {},
      { namespace: 'b' },
      app('x'),
      onNode('n1'),
      { ...app('x'), namespace: 'a' },
      { namespace: 'a', name: '2' },
    )
    const round = fc.record({ writes: fc.array(write, { minLength: 1, maxLength: 4 }), turns: fc.nat(3) })
    const property = fc.asyncProperty(
      fc.array(round, { maxLength: 16 }),
      fc.array(fc.tuple(selection, fc.nat(8), fc.nat(5)), { maxLength: 4 }),
      async (rounds, clients) => {
        const clock = new VirtualClock()
        const bench = new Bench(clock, await stores[name]!(t, clock), undefined as never)
        const cache = await openPods(bench.store, clock, { historyEventsMax: 12 })
        Object.assign(bench, { cache })
        const followers: { selection: Selection; state: Map<string, string>; check: () => void }[] = []
        for (const [index, { writes, turns }] of [...rounds, { writes: [], turns: 0 }].entries()) {
          for (const [each, start, slowTurns] of clients)
            if (start === index) followers.push(await follow(bench, each, slowTurns))
          await Promise.all(
            writes.map(({ key, label, node }) =>
              label === 'gone' ? bench.remove(key) : bench.put(key, { app: label }, node),
            ),
          )
          for (let turn = 0; turn < turns; turn++) await clock.yield()
        }
        await clock.settle()
        for (const { check } of followers) check()
        cache.close()
      },
    )
    await fc.assert(property, { numRuns: name === 'memory' ? 150 : 25 })
  })
}

/** A client: lists, watches on, and is ready again so many turns after each batch. */
async function follow(bench: Bench, selection: Selection, slowTurns: number) {
  const list = await bench.cache.list(selection)
  const state = new Map(list.entries.map(({ key, object }) => [key, object.metadata!.resourceVersion!]))
  let ended = false
  let last = list.revision
  const watch = await bench.cache.watch(
    { ...selection, from: list.revision },
    {
      deliver({ events }) {
        for (const { type, revision, object } of events) {
          assert.ok(revision > last, 'events are in order')
          last = revision
          assert.equal(type === 'ADDED', !state.has(object!.key), `${type} of ${object!.key}`)
          if (type === 'DELETED') state.delete(object!.key)
          else state.set(object!.key, object!.object.metadata!.resourceVersion!)
        }
        const resume = async () => {
          for (let turn = 0; turn < slowTurns; turn++) await bench.clock.yield()
          watch.resume()
        }
        if (slowTurns > 0) void resume()
        return slowTurns === 0
      },
      end: () => (ended = true),
    },
  )
  const check = () => {
    if (ended) return
    const want = bench.cache
      .listNow(selection)
      .map(({ key, object }) => [key, object.metadata!.resourceVersion!] as const)
    assert.deepEqual([...state].sort(), want.sort())
  }
  return { selection, state, check }
}
