import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbStore } from '../src/store/lmdb/lmdb-store.ts'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'
import type { Store } from '../src/store/store.ts'
import { type Figure, benchDeps, cpuTimed, figure, procField, timed } from './measure.ts'

/** Puts and reads of the two stores, without an API server. */
export async function storeFigures(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-bench-'))
  try {
    const lmdb = await openLmdbStore({ ...benchDeps(), folder })
    const memory = openMemoryStore(benchDeps())
    const figures = [
      ...(await figuresOf('lmdb', lmdb)),
      ...(await figuresOf('memory', memory)),
      ...(await idleFigures(lmdb)),
    ]
    await lmdb.close()
    figures.push(
      figure(
        'lmdb: opening a store of 20,000 entries',
        await timed(async () => (await openLmdbStore({ ...benchDeps(), folder })).close()),
        'ms',
      ),
    )
    return figures
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function figuresOf(name: string, store: Store): Promise<Figure[]> {
  const value = Buffer.alloc(1200, 'x')
  let next = 0
  const put = () => store.put(`/registry/configmaps/default/c-${next++ % 20_000}`, () => ({ bytes: value }), 'any')
  const lanes = async (count: number, total: number) => {
    let left = total
    await Promise.all(
      Array.from({ length: count }, async () => {
        while (left-- > 0) await put()
      }),
    )
  }
  await lanes(100, 20_000)
  const serialMs = await timed(() => lanes(1, 500))
  const parallelMs = await timed(() => lanes(100, 20_000))
  const cpuMs = await cpuTimed(() => lanes(100, 20_000))
  const getMs = await timed(async () => {
    for (let i = 0; i < 20_000; i++) await store.get(`/registry/configmaps/default/c-${(i * 7919) % 20_000}`)
  })
  const rangeMs = await timed(() => store.range('/registry/configmaps/'))
  return [
    figure(`${name}: put of 1.2 KB, one after the other`, serialMs / 500, 'ms'),
    figure(`${name}: put of 1.2 KB, 100 in flight`, 20_000 / (parallelMs / 1000), 'puts/s'),
    figure(`${name}: CPU of a put of 1.2 KB, 100 in flight`, (cpuMs / 20_000) * 1000, 'µs'),
    figure(`${name}: get`, (getMs / 20_000) * 1000, 'µs'),
    figure(`${name}: range of 20,000 entries`, rangeMs, 'ms'),
  ]
}

/** What one lonely commit writes: an idle cluster is made of them. */
async function idleFigures(store: Store): Promise<Figure[]> {
  const before = procField('/proc/self/io', 'wchar')
  for (let i = 0; i < 50; i++)
    await store.put('/registry/leases/kube-node-lease/node-1', () => ({ bytes: Buffer.alloc(500) }), 'any')
  return [
    figure(
      'lmdb: written by a commit of one lease renewal',
      (procField('/proc/self/io', 'wchar') - before) / 50 / 1024,
      'KiB',
    ),
  ]
}
