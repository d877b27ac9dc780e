import { events } from '../../api/generated/resources.ts'
import type { Deps } from '../../base/deps.ts'
import type { Draft } from './resource-storage.ts'
import type { Registry } from './registry.ts'

/** How often events that are too old are looked for. */
const intervalMs = 60_000
/** So many are removed at a time. */
const batchMax = 200

/** Removes events that nothing has been added to for `ttlMs`, as upstream's leases do. Returns how to stop. */
export function expireEvents({ clock, log }: Deps, registry: Registry, ttlMs: number): () => void {
  let stopped = false
  let cancel = (): void => {}
  const round = async () => {
    const storage = registry.storageOfResource(events)
    if (!storage) return
    const nowMs = clock.now()
    const old = storage.cache.listNow().filter(({ object }) => {
      const { lastTimestamp, eventTime, series } = object as {
        lastTimestamp?: string | null
        eventTime?: string | null
        series?: { lastObservedTime?: string }
      }
      const last = Math.max(
        ...[lastTimestamp, eventTime, series?.lastObservedTime, object.metadata?.creationTimestamp].map((text) =>
          text ? Date.parse(text) : 0,
        ),
      )
      return nowMs - last > ttlMs
    })
    for (let from = 0; from < old.length && !stopped; from += batchMax) {
      await Promise.all(
        old
          .slice(from, from + batchMax)
          .map((entry) => storage.remove(entry, { ...entry.object, metadata: { ...entry.object.metadata } } as Draft)),
      )
      await clock.yield()
    }
  }
  const schedule = () => {
    if (stopped) return
    cancel = clock.after(intervalMs, () => {
      round()
        .catch((error: unknown) =>
          log.warn({ err: error }, 'old events could not be removed; the next round tries again'),
        )
        .finally(schedule)
    })
  }
  schedule()
  return () => {
    stopped = true
    cancel()
  }
}
