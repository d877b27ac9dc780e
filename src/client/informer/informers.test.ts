import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expired, serviceUnavailable } from '../../api/errors/api-error.ts'
import { configMaps } from '../../api/generated/resources.ts'
import type { ConfigMap } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { newClient } from '../client.ts'
import type { Transport, TransportRequest, WatchEvent } from '../transport.ts'
import { Informers } from './informers.ts'

const object = (name: string, resourceVersion: number, namespace = 'default', uid = name): Frozen<ConfigMap> => ({
  metadata: { name, namespace, uid, resourceVersion: String(resourceVersion) },
})

/** A server that says what the test tells it to. */
class Script implements Transport {
  items: Frozen<ConfigMap>[] = []
  version = 1
  lists = 0
  readonly watchedFrom: string[] = []
  failLists = 0
  /** When a watch begins. */
  onWatch = () => {}
  #push: (event: WatchEvent | Error | undefined) => void = () => {}

  async send(_request: TransportRequest): Promise<unknown> {
    this.lists++
    if (this.failLists-- > 0) throw serviceUnavailable('not now')
    return { metadata: { resourceVersion: String(this.version) }, items: this.items }
  }

  async *watch({ query }: TransportRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    this.watchedFrom.push(query?.['resourceVersion'] ?? '')
    const waiting: (WatchEvent | Error | undefined)[] = []
    let wake = () => {}
    this.#push = (event) => {
      waiting.push(event)
      wake()
    }
    signal.addEventListener('abort', () => this.#push(undefined))
    // A turn of the event loop later, so that a hurry is seen and does not hang the test.
    await new Promise((resolve) => setImmediate(resolve))
    this.onWatch()
    for (;;) {
      while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const next = waiting.shift()
      if (next === undefined) return
      if (next instanceof Error) throw next
      yield next
    }
  }

  tell(type: WatchEvent['type'], changed: Frozen<ConfigMap>): void {
    this.#push({ type, object: changed })
  }

  /** Ends the watch, or breaks it. */
  end(error?: Error): void {
    this.#push(error)
  }

  async close(): Promise<void> {}
}

async function start(script = new Script()) {
  const clock = new VirtualClock()
  const informers = new Informers({
    deps: { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() },
    client: newClient(script),
  })
  const told: string[] = []
  const informer = informers.of(configMaps)
  informer.on({
    added: ({ metadata }) => void told.push(`+${metadata.name}`),
    updated: ({ metadata }, old) =>
      void told.push(`~${metadata.name} ${old.metadata.resourceVersion}-${metadata.resourceVersion}`),
    deleted: ({ metadata }) => void told.push(`-${metadata.name}`),
  })
  await clock.settle()
  return { clock, script, informers, informer, told }
}

test('what is there is told first, then every change, in order', async () => {
  const script = new Script()
  script.items = [object('a', 1)]
  const { clock, informer, told } = await start(script)
  assert.ok(informer.hasSynced())
  script.tell('ADDED', object('b', 2))
  script.tell('MODIFIED', object('a', 3))
  script.tell('DELETED', object('b', 4))
  await clock.settle()
  assert.deepEqual(told, ['+a', '+b', '~a 1-3', '-b'])
  assert.equal(informer.version, 4n)
})

test('who comes later hears of what is there', async () => {
  const script = new Script()
  script.items = [object('a', 1), object('b', 1)]
  const { informer } = await start(script)
  const later: string[] = []
  informer.on({ added: ({ metadata }) => void later.push(metadata.name ?? '') })
  assert.deepEqual(later, ['a', 'b'])
})

test('all who ask for the same share one list and one watch', async () => {
  const { clock, informers, informer, script } = await start()
  assert.equal(informers.of(configMaps), informer)
  assert.equal(informers.of(configMaps, { metadataOnly: true }), informer)
  assert.notEqual(informers.of(configMaps, { namespace: 'x' }), informer)
  await clock.settle()
  assert.equal(script.lists, 2)
})

test('a watch that ends is resumed from where it was, without a list', async () => {
  const { clock, script } = await start()
  script.tell('ADDED', object('a', 7))
  script.tell('BOOKMARK', object('', 9))
  await clock.settle()
  script.end()
  await clock.advance(1000)
  assert.deepEqual(script.watchedFrom, ['1', '9'])
  assert.equal(script.lists, 1)
})

test('a watch that is too old is begun anew, and what was missed is told', async () => {
  const script = new Script()
  script.items = [object('a', 1), object('b', 1), object('c', 1)]
  const { clock, told } = await start(script)
  script.items = [object('a', 1), object('b', 5), object('c', 6, 'default', 'another'), object('d', 7)]
  script.version = 8
  script.end(expired('too old resource version'))
  await clock.advance(1000)
  assert.deepEqual(told.slice(3), ['~b 1-5', '-c', '+c', '+d'])
  assert.deepEqual(script.watchedFrom, ['1', '8'])
})

for (const [what, error, event] of [
  ['has always forgotten the version that it just gave', expired('too old resource version'), undefined],
  ['breaks every watch off with what is known already', new Error('broken'), object('', 9)],
  ['ends every watch with what is known already', undefined, object('', 9)],
] as const)
  test(`a server that ${what} is not asked in a hurry`, async () => {
    const script = new Script()
    script.onWatch = () => {
      if (event) script.tell('BOOKMARK', event)
      script.end(error)
    }
    const { clock, informers } = await start(script)
    await clock.advance(120_000)
    assert.ok(script.watchedFrom.length >= 5 && script.watchedFrom.length <= 15, `${script.watchedFrom.length} watches`)
    await informers.close()
  })

test('a server that cannot be reached is asked again, more and more slowly', async () => {
  const script = new Script()
  script.failLists = 4
  const { clock, informer } = await start(script)
  await clock.advance(300)
  assert.ok(script.lists <= 3)
  await clock.advance(60_000)
  assert.ok(informer.hasSynced())
})

test('objects are found by namespace, by owner and by indexes', async () => {
  const script = new Script()
  script.items = [
    object('a', 1),
    object('a', 1, 'other', 'o'),
    {
      metadata: {
        name: 'owned',
        namespace: 'default',
        uid: 'x',
        resourceVersion: '1',
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p1' }],
      },
    },
  ]
  const { clock, informer } = await start(script)
  assert.equal(informer.list().length, 3)
  assert.equal(informer.list('default').length, 2)
  assert.deepEqual(
    informer.ownedBy('p1').map(({ metadata }) => metadata.name),
    ['owned'],
  )
  informer.index('first', ({ metadata }) => [metadata.name?.[0] ?? ''])
  assert.equal(informer.by('first', 'a').length, 2)
  script.tell('DELETED', object('a', 2))
  await clock.settle()
  assert.equal(informer.by('first', 'a').length, 1)
  assert.equal(informer.get({ namespace: 'other', name: 'a' })?.metadata.uid, 'o')
})

test('a handler that fails does not keep others from hearing', async () => {
  const { clock, script, informer, told } = await start()
  informer.on({ added: () => assert.fail('broken') })
  informer.on({ added: () => void told.push('after') })
  script.tell('ADDED', object('a', 2))
  await clock.settle()
  assert.deepEqual(told, ['+a', 'after'])
})

test('closing ends every watch', async () => {
  const { clock, informers } = await start()
  const closed = informers.close()
  await clock.settle()
  await closed
  assert.equal(clock.nextTimerMs(), undefined)
})
