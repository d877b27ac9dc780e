import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { newPodInfo, type PodInfo } from '../cache/pod-info.ts'
import { definePlugin, unresolvable, type Plugin } from '../framework.ts'
import { aPod, type PodWishes } from '../testing/world.ts'
import { SchedulingQueue, type QueuedPod } from './scheduling-queue.ts'

const info = (name: string, wishes: PodWishes = {}): PodInfo => newPodInfo(aPod(name, wishes), () => undefined)

const picky = definePlugin<undefined, undefined>({
  name: 'Picky',
  events: [
    { on: 'Node/Add' },
    {
      on: 'Node/Update',
      hint: (rejected, node) =>
        (node as { metadata: { name: string } }).metadata.name === rejected.pod.metadata.labels?.['wants'],
    },
  ],
})
const gate = definePlugin<undefined, undefined>({
  name: 'Gate',
  events: [],
  preEnqueue: (pod) => (pod.spec?.schedulingGates?.length ? unresolvable('gated') : undefined),
})

function setUp(plugins: readonly Plugin[] = [picky, gate]) {
  const clock = new VirtualClock()
  const queue = new SchedulingQueue(clock, plugins)
  /** What comes out now, without waiting. */
  const ready = async (): Promise<string[]> => {
    const names: string[] = []
    while (queue.sizes().active > 0) names.push((await queue.next())!.info.pod.metadata.name!)
    return names
  }
  const take = async (): Promise<QueuedPod> => (await queue.next())!
  return { clock, queue, ready, take }
}

const rejected = new Set(['Picky'])
const node = (name: string) => ({ metadata: { name } })

test('the most important Pod comes first; of equal ones, the one that waits longest', async () => {
  const { clock, queue, ready } = setUp()
  queue.add(info('old'))
  await clock.advance(10)
  queue.add(info('new'))
  queue.add(info('vip', { priority: 100 }))
  queue.add(info('least', { priority: -1 }))
  assert.deepEqual(await ready(), ['vip', 'old', 'new', 'least'])
})

test('a Pod that failed waits for an event that its plugin named, and backs off first', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p'))
  queue.failed(await take(), rejected)
  assert.deepEqual(queue.sizes(), { active: 0, backoff: 0, unschedulable: 1, gated: 0 })
  queue.moved('AssignedPod/Delete', {})
  assert.equal(queue.sizes().unschedulable, 1)
  queue.moved('Node/Add', node('n'))
  assert.deepEqual(queue.sizes(), { active: 0, backoff: 1, unschedulable: 0, gated: 0 })
  await clock.advance(999)
  assert.deepEqual(await ready(), [])
  await clock.advance(1)
  assert.deepEqual(await ready(), ['p'])
})

test('back-off doubles from one second to ten', async () => {
  const { clock, queue, take } = setUp()
  queue.add(info('p'))
  for (const waitMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    queue.failed(await take(), rejected)
    queue.moved('Node/Add', node('n'))
    await clock.advance(waitMs - 1)
    assert.equal(queue.sizes().backoff, 1, `before ${waitMs} ms`)
    await clock.advance(1)
    assert.equal(queue.sizes().active, 1, `after ${waitMs} ms`)
  }
})

test('an event that comes after the back-off is over brings the Pod back at once', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p'))
  queue.failed(await take(), rejected)
  await clock.advance(5000)
  queue.moved('Node/Add', node('n'))
  assert.deepEqual(await ready(), ['p'])
})

test('a hint that says no leaves the Pod where it is', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p', { labels: { wants: 'b' } }))
  queue.failed(await take(), rejected)
  await clock.advance(5000)
  queue.moved('Node/Update', node('a'))
  assert.deepEqual(await ready(), [])
  queue.moved('Node/Update', node('b'))
  assert.deepEqual(await ready(), ['p'])
})

test('an event during the cycle is not lost', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p'))
  const entry = await take()
  queue.moved('Node/Add', node('n'))
  queue.failed(entry, rejected)
  await clock.advance(1000)
  assert.deepEqual(await ready(), ['p'])
})

test('after an error a Pod is tried again without any event', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p'))
  queue.failed(await take(), new Set())
  await clock.advance(1000)
  assert.deepEqual(await ready(), ['p'])
})

test('a gated Pod is held back until its gates are gone', async () => {
  const { queue, ready } = setUp()
  assert.deepEqual(queue.add(info('p', { schedulingGates: [{ name: 'later' }] }))?.reasons, ['gated'])
  queue.moved('Node/Add', node('n'))
  assert.deepEqual(queue.sizes(), { active: 0, backoff: 0, unschedulable: 0, gated: 1 })
  assert.equal(queue.add(info('p')), undefined)
  assert.deepEqual(await ready(), ['p'])
})

test('a Pod that nothing moved is tried again after five minutes', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p'))
  queue.failed(await take(), rejected)
  await clock.advance(5 * 60_000 - 1000)
  assert.deepEqual(await ready(), [])
  await clock.advance(31_000)
  assert.deepEqual(await ready(), ['p'])
})

test('a change of what scheduling reads brings a Pod back, one of its status does not', async () => {
  const { clock, queue, ready, take } = setUp()
  queue.add(info('p', { cpu: '2' }))
  queue.failed(await take(), rejected)
  await clock.advance(5000)
  queue.add(info('p', { cpu: '2', startTime: '2026-01-01T00:00:00Z' }))
  assert.deepEqual(await ready(), [])
  queue.add(info('p', { cpu: '1' }))
  assert.deepEqual(await ready(), ['p'])
})

test('a Pod that is gone is not tried again, wherever it was', async () => {
  const { clock, queue, ready, take } = setUp()
  for (const name of ['active', 'waiting', 'backing-off']) queue.add(info(name))
  const entries = [await take(), await take(), await take()]
  const byName = (name: string) => entries.find((e) => e.info.pod.metadata.name === name)!
  queue.failed(byName('waiting'), rejected)
  queue.failed(byName('backing-off'), new Set())
  queue.delete('default/active')
  queue.failed(byName('active'), new Set())
  queue.delete('default/waiting')
  queue.delete('default/backing-off')
  queue.moved('Node/Add', node('n'))
  await clock.advance(20_000)
  assert.deepEqual(await ready(), [])
})

test('who waits for the next Pod gets it, or nothing when the queue is closed', async () => {
  const { queue } = setUp()
  const first = queue.next()
  queue.add(info('p'))
  assert.equal((await first)?.info.pod.metadata.name, 'p')
  const second = queue.next()
  queue.close()
  assert.equal(await second, undefined)
})
