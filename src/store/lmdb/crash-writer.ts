import { realClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { realRandom } from '../../base/random.ts'
import { openLmdbStore } from './lmdb-store.ts'

// Run by a test, which kills it: writes without end and tells its parent what has been acknowledged.

const [folder = '', mode] = process.argv.slice(2)
const store = await openLmdbStore({
  folder,
  clock: realClock,
  random: realRandom,
  log: silentLogger,
  metrics: new Metrics(),
})
const value = (revision: number) => ({ bytes: Buffer.from(`${revision} ${'x'.repeat(4000)} end`) })

for (let round = 0; ; round++) {
  await Promise.all(
    Array.from({ length: 8 }, async (_, lane) => {
      const key = `/${lane}/${round % 16}`
      const removes = mode === 'durable' && (round + lane) % 5 === 4
      const result = removes
        ? await store.delete(key, 'any')
        : await store.put(key, value, 'any', mode === 'lazy' ? { lazyMs: 60_000 } : undefined)
      if (result.written) process.send?.({ key, revision: removes ? undefined : result.entry.modRevision })
    }),
  )
}
