import type { CachedObject, ObjectCache } from '../cache/cache.ts'

/** What is told of the objects that are followed. `before` is what was there. */
export interface Follower {
  set(entry: CachedObject, before: CachedObject | undefined): void
  remove(before: CachedObject): void
}

/**
 * Tells of every object that a cache has and of every change, for as long as the cache is open: what indices are kept up to date by. All present objects have been told when it
 * resolves.
 */
export async function follow(cache: ObjectCache, follower: Follower): Promise<void> {
  const known = new Map<string, CachedObject>()
  const set = (entry: CachedObject) => {
    const before = known.get(entry.key)
    if (before && before.revision >= entry.revision) return
    known.set(entry.key, entry)
    follower.set(entry, before)
  }
  const start = async () => {
    await cache.watch(
      { from: 'now' },
      {
        deliver({ events }) {
          for (const { type, object } of events) {
            if (!object) continue
            const before = known.get(object.key)
            if (type !== 'DELETED') set(object)
            else if (before && before.revision <= object.revision) {
              known.delete(object.key)
              follower.remove(before)
            }
          }
          return true
        },
        end() {},
      },
    )
    for (const entry of cache.listNow()) set(entry)
  }
  await start()
}
