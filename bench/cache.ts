import type { CacheEvent, EventEncoding, ObjectCache } from '../src/apiserver/cache/cache.ts'
import { Document } from '../src/apiserver/cache/document.ts'
import { ListChunks } from '../src/apiserver/cache/list-chunks.ts'
import { openObjectCache } from '../src/apiserver/cache/object-cache.ts'
import { framedChunk } from '../src/apiserver/http/http1.ts'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'
import type { Store } from '../src/store/store.ts'
import { type Figure, atMost, benchDeps, cpuTimed, figure, median, timed } from './measure.ts'

const prefix = '/registry/pods/'
const podCount = 10_000
const jsonEvents: EventEncoding = {
  encode: ({ type, object }: CacheEvent) =>
    Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object!.bytes, Buffer.from('}\n')]),
  frame: framedChunk,
}

/** Gets, lists and watch fan-out of the object cache, without a network. */
export async function cacheFigures(): Promise<Figure[]> {
  const deps = benchDeps()
  const store = openMemoryStore(deps)
  const cache = await openObjectCache({
    ...deps,
    store,
    prefix,
    namespaced: true,
    fields: { 'spec.nodeName': (pod) => (pod as Pod).spec.nodeName },
    indexedFields: ['spec.nodeName'],
  })
  for (let i = 0; i < podCount; i++) await putPod(store, i, 6800)
  for (const { bytes } of cache.listNow()) void bytes.byteLength
  const figures = [
    ...(await readFigures(cache)),
    await fanOutFigure(store, cache, 500, 1),
    await fanOutFigure(store, cache, 500, 5),
    await nodeWatchFigure(store, cache),
  ]
  cache.close()
  return figures
}

interface Pod {
  readonly spec: { readonly nodeName: string }
}

async function putPod(store: Store, index: number, padBytes: number): Promise<void> {
  const make = (revision: number) => {
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: `web-${index}`,
        namespace: 'default',
        resourceVersion: String(revision),
        labels: { app: `app-${index % 100}` },
      },
      spec: { nodeName: `node-${index % 1000}`, pad: 'x'.repeat(padBytes) },
    }
    // As from a client on the network: bytes are needed anyway.
    return Document.ofBytes(Buffer.from(JSON.stringify(pod)), pod)
  }
  await store.put(`${prefix}default/web-${index}`, make, 'any')
}

async function readFigures(cache: ObjectCache): Promise<Figure[]> {
  const getMs = await median(5, () =>
    timed(() => {
      for (let i = 0; i < podCount; i++) cache.get(`default/web-${(i * 7919) % podCount}`)
    }),
  )
  const listMs = await median(5, () =>
    timed(async () => {
      const { entries } = await cache.list()
      for (const chunk of new ListChunks({
        head: '{"items":[',
        items: entries.values().map(({ bytes }) => bytes),
        tail: ']}',
        itemHead: '"kind":"Pod","apiVersion":"v1",',
      }))
        void chunk.content.byteLength
    }),
  )
  const pageMs = await median(21, () => timed(() => cache.list({ limit: 500, after: 'default/web-4' })))
  const labelMs = await median(21, () => timed(() => cache.list({ labels: (labels) => labels['app'] === 'app-7' })))
  const nodeMs = await median(21, () =>
    timed(() =>
      cache.list({
        fields: (field) => field('spec.nodeName') === 'node-7',
        fieldEquals: { 'spec.nodeName': 'node-7' },
      }),
    ),
  )
  return [
    figure('cache: get of one of 10,000 pods', (getMs / podCount) * 1000, 'µs'),
    figure('cache: list of 10,000 pods of 7 KB in chunks', listMs, 'ms'),
    figure('cache: page of 500 of 10,000 pods', pageMs, 'ms'),
    figure('cache: label selector, 100 of 10,000 pods', labelMs, 'ms'),
    figure('cache: field selector with an index, 10 of 10,000 pods', nodeMs, 'ms'),
  ]
}

/** CPU of one event to one of many watchers, when so many writes come in one turn. */
async function fanOutFigure(store: Store, cache: ObjectCache, watchers: number, together: number): Promise<Figure> {
  let delivered = 0
  const watches = await Promise.all(
    Array.from({ length: watchers }, () =>
      cache.watch(
        { from: 'now', encoding: jsonEvents },
        {
          deliver(batch) {
            if (batch.bytes.byteLength > 0) delivered += batch.events.length
            return true
          },
          end() {},
        },
      ),
    ),
  )
  const { clock } = benchDeps()
  await clock.yield()
  const rounds = 200
  const ms = await median(5, () =>
    cpuTimed(async () => {
      delivered = 0
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < together; i++) await putPod(store, i, 1000)
        await clock.yield()
        await clock.yield()
      }
      while (delivered < rounds * together * watchers) await clock.yield()
    }),
  )
  for (const watch of watches) watch.close()
  return atMost(
    `cache: CPU of an event to one of ${watchers} watchers, ${together} at a time (write included)`,
    (ms / rounds / together / watchers) * 1000,
    'µs',
    5,
  )
}

/** Cost of a pod's event when each of 5,000 nodes watches its own pods. */
async function nodeWatchFigure(store: Store, cache: ObjectCache): Promise<Figure> {
  let delivered = 0
  const watches = await Promise.all(
    Array.from({ length: 5000 }, (_, i) => {
      const node = `node-${i}`
      return cache.watch(
        {
          from: 'now',
          fields: (field) => field('spec.nodeName') === node,
          fieldEquals: { 'spec.nodeName': node },
          text: `spec.nodeName=${node}`,
        },
        {
          deliver({ events }) {
            delivered += events.length
            return true
          },
          end() {},
        },
      )
    }),
  )
  const { clock } = benchDeps()
  await clock.yield()
  const ms = await timed(async () => {
    for (let i = 0; i < 2000; i++) {
      await putPod(store, i % 1000, 100)
      await clock.yield()
    }
    while (delivered < 2000) await clock.yield()
  })
  for (const watch of watches) watch.close()
  return figure('cache: a pod event among 5,000 watches by node (write included)', (ms / 2000) * 1000, 'µs')
}
