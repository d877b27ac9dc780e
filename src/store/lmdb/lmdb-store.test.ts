import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdir, mkdtemp, open, readFile, rename, rm, rmdir, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { VirtualClock, realClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { storeContract, textOf, valueOf } from '../contract.ts'
import type { Store } from '../store.ts'
import { openLmdbStore } from './lmdb-store.ts'

const depsOn = (clock = realClock) => ({ clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() })

async function newFolder(t?: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-store-'))
  t?.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

storeContract('lmdb', async () => {
  const folder = await newFolder()
  const deps = depsOn()
  const store = await openLmdbStore({ ...deps, folder })
  const close = async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { store, deps, close }
})

const at = (text: string) => (revision: number) => valueOf(`${text}@${revision}`)

async function contentOf(store: Store): Promise<string[]> {
  return (await store.range('/')).entries.map(({ key, value }) => `${key}=${textOf(value)}`)
}

test('lmdb: everything is there after a restart, history and counter included', async (t) => {
  const folder = await newFolder(t)
  const first = await openLmdbStore({ ...depsOn(), folder })
  await first.put('/a', at('x'), 'any') // 2
  await first.put('/b', at('x'), 'any') // 3
  await first.put('/a', at('y'), 'any') // 4
  await first.compact(3)
  await first.delete('/b', 'any', at('last')) // 5
  await first.put('/lease', at('l'), 'any', { lazyMs: 1000 }) // 6
  await first.put('/lease', at('l'), 'any', { lazyMs: 1000 }) // 7
  await first.close()
  const store = await openLmdbStore({ ...depsOn(), folder })
  t.after(() => store.close())
  assert.deepEqual([store.revision(), store.compactedRevision()], [7, 3])
  assert.deepEqual(await contentOf(store), ['/a=y@4', '/lease=l@7'])
  const { changes } = await store.history('/', 3)
  assert.deepEqual(
    changes.map(({ type, entry }) => `${type} ${entry.key} ${textOf(entry.value)}`),
    ['put /a y@4', 'delete /b last@5', 'put /lease l@6', 'put /lease l@7'],
  )
  assert.equal(textOf(changes[1]!.previous!.value), 'x@3')
  await store.compact(7)
  assert.deepEqual(await contentOf(store), ['/a=y@4', '/lease=l@7'])
})

test('lmdb: the counter survives a restart although everything is deleted and compacted', async (t) => {
  const folder = await newFolder(t)
  const first = await openLmdbStore({ ...depsOn(), folder })
  await first.put('/a', at('x'), 'any')
  await first.delete('/a', 'any')
  await first.compact(3)
  await first.close()
  const store = await openLmdbStore({ ...depsOn(), folder })
  t.after(() => store.close())
  assert.deepEqual([store.revision(), store.compactedRevision()], [3, 3])
})

test('lmdb: readers never see a write before its commit is done', async (t) => {
  const store = await openLmdbStore({ ...depsOn(), folder: await newFolder(t) })
  t.after(() => store.close())
  let writing = true
  const writes = Promise.all(
    Array.from({ length: 40 }, async (_, k) => {
      for (let i = 0; i < 25; i++) await store.put(`/${k}`, at('x'), 'any')
    }),
  ).then(() => (writing = false))
  while (writing) {
    const { entries, revision } = await store.range('/')
    for (const { modRevision } of entries) assert.ok(modRevision <= revision)
    const entry = await store.get('/1')
    assert.ok(!entry || entry.modRevision <= store.revision())
    await realClock.yield()
  }
  await writes
})

test('lmdb: lazy writes reach the disk when they are due, and with the next commit', async (t) => {
  const folder = await newFolder(t)
  const clock = new VirtualClock()
  const store = await openLmdbStore({ ...depsOn(clock), folder })
  t.after(() => store.close())
  const size = async () => Buffer.from(await readFile(join(folder, 'data.mdb'))).toString('latin1')
  // The first one is committed at once, and sets revisions aside for others.
  await store.put('/lease', at('first'), 'any', { lazyMs: 60_000 })
  await store.put('/lease', at('second'), 'any', { lazyMs: 60_000 })
  assert.ok(!(await size()).includes('second@3'))
  await clock.advance(59_000)
  assert.ok(!(await size()).includes('second@3'))
  await clock.advance(1000)
  await store.put('/lease', at('third'), 'any', { lazyMs: 60_000 })
  await store.put('/a', at('x'), 'any')
  assert.ok((await size()).includes('second@3') && (await size()).includes('third@4'))
})

test('lmdb: a revision that a lost lazy write had is not given out again', async (t) => {
  const folder = await newFolder(t)
  const { acknowledged } = await crash(folder, 'lazy', 400)
  const store = await openLmdbStore({ ...depsOn(), folder })
  t.after(() => store.close())
  assert.ok(store.revision() >= Math.max(...acknowledged.map(({ revision }) => revision)))
})

for (const afterMs of [60, 250]) {
  test(`lmdb: kill -9 after ${afterMs} ms of writing loses nothing that was acknowledged`, async (t) => {
    const folder = await newFolder(t)
    const { acknowledged } = await crash(folder, 'durable', afterMs)
    assert.ok(acknowledged.length > 0)
    const store = await openLmdbStore({ ...depsOn(), folder })
    t.after(() => store.close())
    const { changes } = await store.history('/', store.compactedRevision())
    // No gap: each revision after the other, and each value whole.
    assert.deepEqual(
      changes.map(({ revision }) => revision),
      Array.from(changes, (_, i) => store.compactedRevision() + 1 + i),
    )
    const byRevision = new Map(changes.map((change) => [change.revision, change]))
    for (const { key, revision } of acknowledged)
      if (revision > store.compactedRevision()) assert.equal(byRevision.get(revision)?.key, key)
    const state = new Map<string, number>()
    for (const { type, key, revision, entry } of changes) {
      if (type === 'delete') state.delete(key)
      else {
        state.set(key, revision)
        assert.match(textOf(entry.value), new RegExp(`^${revision} x{4000} end$`))
      }
    }
    const { entries } = await store.range('/')
    assert.deepEqual(new Map(entries.map(({ key, modRevision }) => [key, modRevision])), state)
    const next = await store.put('/next', at('x'), 'absent')
    assert.equal(next.written && next.entry.modRevision, store.revision())
  })
}

/** Runs crash-writer.ts, kills it after a while, and returns what it said was written. */
async function crash(
  folder: string,
  mode: string,
  afterMs: number,
): Promise<{ acknowledged: { key: string; revision: number }[] }> {
  const child = fork(join(import.meta.dirname, 'crash-writer.ts'), [folder, mode], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const acknowledged: { key: string; revision: number }[] = []
  const killed = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  child.on('message', (message) => {
    if (acknowledged.length === 0) void realClock.sleep(afterMs).then(() => child.kill('SIGKILL'))
    acknowledged.push(message as { key: string; revision: number })
  })
  const alive = setInterval(() => {}, 1000) // The clock's own timers do not keep the process alive.
  await killed
  clearInterval(alive)
  return { acknowledged }
}

test('lmdb: history older than five minutes goes with later writes', async (t) => {
  const clock = new VirtualClock()
  const store = await openLmdbStore({ ...depsOn(clock), folder: await newFolder(t) })
  t.after(() => store.close())
  for (let minute = 0; minute < 12; minute++) {
    await Promise.all(Array.from({ length: 100 }, () => store.put('/a', at('x'), 'any')))
    await clock.advance(60_000)
  }
  // What was written in the first seven minutes is older than five when the thirteenth begins; the write after the one that shows it takes it along.
  for (let i = 0; i < 2; i++) await store.put('/b', at('x'), 'any')
  const compacted = store.compactedRevision()
  assert.ok(compacted > 600 && compacted <= 701, String(compacted))
  assert.equal((await store.history('/', compacted)).changes.length, store.revision() - compacted)
})

test('lmdb: a folder in use is refused by name of the process that uses it', async (t) => {
  const folder = await newFolder(t)
  const store = await openLmdbStore({ ...depsOn(), folder })
  await assert.rejects(openLmdbStore({ ...depsOn(), folder }), new RegExp(`in use by process ${process.pid}`))
  await store.close()
  await (await openLmdbStore({ ...depsOn(), folder })).close()
})

test('lmdb: the lock of a process that is gone does not stand in the way', async (t) => {
  const folder = await newFolder(t)
  for (const stale of ['999999999 boot 1\n', `${process.pid} another-boot 1\n`, '']) {
    await writeFile(join(folder, 'owner'), stale)
    await (await openLmdbStore({ ...depsOn(), folder })).close()
  }
})

test('lmdb: a foreign, damaged or cut-off file is refused with what to do', async (t) => {
  const folder = await newFolder(t)
  const path = join(folder, 'data.mdb')
  await writeFile(path, 'certainly no data file '.repeat(1000))
  await assert.rejects(openLmdbStore({ ...depsOn(), folder }), {
    name: 'DamagedStoreError',
    message: /is not a data file.*restore a backup/,
  })
  await rm(path)
  const store = await openLmdbStore({ ...depsOn(), folder })
  await Promise.all(Array.from({ length: 400 }, (_, i) => store.put(`/a/${i}`, () => valueOf('x'.repeat(4000)), 'any')))
  await store.close()
  await truncate(path, 300_000)
  await assert.rejects(openLmdbStore({ ...depsOn(), folder }), { name: 'DamagedStoreError', message: /is cut off/ })
})

test('lmdb: a folder that cannot be made is said so', async (t) => {
  const folder = await newFolder(t)
  await writeFile(join(folder, 'file'), '')
  await assert.rejects(openLmdbStore({ ...depsOn(), folder: join(folder, 'file', 'data') }), {
    name: 'StoreWriteError',
    message: /cannot use .*file\/data/,
  })
})

test('lmdb: a key or value that is too large is refused, and nothing of it is there', async (t) => {
  const store = await openLmdbStore({ ...depsOn(), folder: await newFolder(t) })
  t.after(() => store.close())
  await assert.rejects(store.put('/' + 'k'.repeat(2000), at('x'), 'any'), { name: 'StoreWriteError' })
  await assert.rejects(store.put('', at('x'), 'any'), { name: 'StoreWriteError' })
  const result = await store.put('/' + 'k'.repeat(1800), at('x'), 'any')
  assert.equal(result.written && result.entry.modRevision, 2)
})

test('lmdb: reads go on while mapped memory is given back', async (t) => {
  const store = await openLmdbStore({ ...depsOn(), folder: await newFolder(t) })
  t.after(() => store.close())
  const value = 'x'.repeat(100_000)
  for (let i = 0; i < 4; i++)
    await Promise.all(Array.from({ length: 50 }, (_, k) => store.put(`/a/${k}`, () => valueOf(value), 'any')))
  for (let i = 0; i < 20; i++) {
    assert.equal((await store.range('/a/')).count, 50)
    const [, entry] = await Promise.all([store.put('/b', at('x'), 'any'), store.get('/a/7')])
    assert.equal(textOf(entry!.value), value)
    store.watch('/', store.compactedRevision(), () => {}).close()
  }
})

test('lmdb: a file that cannot be opened again fails what is asked meanwhile, and nothing afterwards', async (t) => {
  const folder = await newFolder(t)
  const path = join(folder, 'data.mdb')
  const clock = new VirtualClock()
  const store = await openLmdbStore({ ...depsOn(clock), folder })
  t.after(() => store.close())
  await Promise.all(Array.from({ length: 50 }, (_, k) => store.put(`/a/${k}`, () => valueOf('x'.repeat(1e5)), 'any')))
  await rename(path, `${path}.aside`)
  const fill = async () => {
    for (let i = 0; i < 10; i++) await store.range('/a/')
  }
  await assert.rejects(fill(), { name: 'StoreWriteError', message: /data\.mdb is gone/ })
  await mkdir(path)
  await assert.rejects(store.put('/b', at('x'), 'any'), { name: 'StoreWriteError' })
  const heard: number[] = []
  store.watch('/', store.revision() - 1, (changes) => heard.push(...changes.map(({ revision }) => revision)))
  await clock.settle()
  await rmdir(path)
  await rename(`${path}.aside`, path)
  assert.equal((await store.range('/a/')).count, 50)
  await clock.advance(2000)
  await store.put('/b', at('x'), 'any')
  assert.deepEqual(heard, [51, 52])
})

test('lmdb: a file with a page that is none is refused by its name', async (t) => {
  const folder = await newFolder(t)
  const path = join(folder, 'data.mdb')
  const store = await openLmdbStore({ ...depsOn(), folder })
  await Promise.all(Array.from({ length: 400 }, (_, i) => store.put(`/a/${i}`, () => valueOf('x'.repeat(300)), 'any')))
  await store.close()
  const file = await open(path, 'r+')
  // The root of the tree, as the newer of the two descriptions at the beginning names it.
  const metas = Buffer.alloc(8192)
  await file.read(metas, 0, metas.length, 0)
  const [first, second] = [metas.subarray(24), metas.subarray(4096 + 24)]
  const newest = second.readBigUInt64LE(128) > first.readBigUInt64LE(128) ? second : first
  await file.write(Buffer.alloc(4096, 0xff), 0, 4096, Number(newest.readBigUInt64LE(112)) * 4096)
  await file.close()
  await assert.rejects(openLmdbStore({ ...depsOn(), folder }), {
    name: 'DamagedStoreError',
    message: /data\.mdb is damaged: .*restore a backup/,
  })
  await rm(path)
  await mkdir(path)
  await assert.rejects(openLmdbStore({ ...depsOn(), folder }), {
    name: 'StoreWriteError',
    message: /cannot open .*data/,
  })
})
