import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podDisruptionBudgets } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { aNode, aPod, TestWorld, type PodWishes } from '../testing/world.ts'
import { planPreemption } from './preemption.ts'

const vip = (wishes: PodWishes = {}) => aPod('vip', { cpu: '2', priority: 1000, ...wishes })
const there = (name: string, node: string, priority: number, wishes: PodWishes = {}) =>
  aPod(name, { cpu: '1', priority, node, ...wishes })

/** Which Pods would be removed for a Pod, and where; or why none. */
function plan(world: TestWorld, pod: Pod): readonly string[] | string {
  const found = world.find(pod)
  assert.equal(found.node, undefined, 'it fits without preemption')
  const { candidate, ...rest } = planPreemption(
    world.search,
    found.states,
    world.cache.infoOf(pod),
    found.node === undefined ? found.rejections : new Map(),
  )
  return candidate
    ? [candidate.node.name, ...candidate.victims.map(({ pod: victim }) => victim.metadata.name!)]
    : (rest as { why: string }).why
}

const two = () => new TestWorld([aNode('a', { cpu: '2' }), aNode('b', { cpu: '2' })])

test('only Pods of lower priority go, and no more of them than needed', () => {
  const world = two().running(there('a1', 'a', 1000), there('b1', 'b', 1), there('b2', 'b', 2))
  assert.deepEqual(plan(world, vip()), ['b', 'b2', 'b1'])
  assert.deepEqual(plan(world, vip({ cpu: '1500m' })), ['b', 'b2', 'b1'])
  world.cache.setNode(aNode('b', { cpu: '3' }))
  assert.deepEqual(plan(world, vip({ cpu: '1500m' })), ['b', 'b1'])
})

test('the node whose most important victim matters least is cleared', () => {
  assert.deepEqual(
    plan(two().running(there('a1', 'a', 5, { cpu: '2' }), there('b1', 'b', 1), there('b2', 'b', 4)), vip()),
    ['b', 'b2', 'b1'],
  )
})

test('then the smaller sum of priorities, then fewer victims, then the ones that started last', () => {
  assert.deepEqual(
    plan(two().running(there('a1', 'a', 5), there('a2', 'a', 4), there('b1', 'b', 5), there('b2', 'b', 3)), vip()),
    ['b', 'b1', 'b2'],
  )
  assert.deepEqual(
    plan(two().running(there('a1', 'a', 5), there('a2', 'a', 5), there('b1', 'b', 5, { cpu: '2' })), vip()),
    ['b', 'b1'],
  )
  const started = (hour: string) => ({ cpu: '2', startTime: `2026-01-01T${hour}:00:00Z` })
  assert.deepEqual(plan(two().running(there('a1', 'a', 5, started('01')), there('b1', 'b', 5, started('02'))), vip()), [
    'b',
    'b1',
  ])
})

test('a disruption budget is respected where another node will do, and not where none will', () => {
  const world = two().running(
    there('a1', 'a', 1, { cpu: '2', labels: { app: 'kept' } }),
    there('b1', 'b', 9, { cpu: '2' }),
  )
  world.put(podDisruptionBudgets, {
    metadata: { name: 'kept', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'kept' } } },
    status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  })
  assert.deepEqual(plan(world, vip()), ['b', 'b1'])
  world.cache.removeNode('b')
  assert.deepEqual(plan(world, vip()), ['a', 'a1'])
})

test('where removing Pods does not help, it is said for each node', () => {
  const world = new TestWorld([
    aNode('a', { cpu: '2', taints: [{ key: 'k', effect: 'NoSchedule' }] }),
    aNode('b', { cpu: '1' }),
    aNode('c', { cpu: '2' }),
  ]).running(there('c1', 'c', 2000))
  assert.equal(
    plan(world, vip()),
    '0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
  )
})

test('a Pod that must not preempt does not, nor one whose victims are still going', () => {
  const world = two().running(there('a1', 'a', 1), there('b1', 'b', 1, { cpu: '2' }))
  assert.equal(plan(world, vip({ preemptionPolicy: 'Never' })), 'not eligible due to preemptionPolicy=Never.')
  const going = there('a1', 'a', 1)
  world.running({ ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  assert.equal(
    plan(world, { ...vip(), status: { nominatedNodeName: 'a' } }),
    'not eligible due to a terminating pod on the nominated node.',
  )
})

test('a Pod that keeps others away goes too', () => {
  const anti = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'vip' } } },
      ],
    },
  }
  const world = new TestWorld([aNode('a')]).running(there('grumpy', 'a', 1, { affinity: anti }), there('calm', 'a', 1))
  assert.deepEqual(plan(world, vip({ labels: { app: 'vip' } })), ['a', 'grumpy'])
})

test('spreading is looked at as it would be after the victims went', () => {
  const spread = {
    topologySpreadConstraints: [
      {
        topologyKey: 'kubernetes.io/hostname',
        maxSkew: 1,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'x' } },
      },
    ],
  }
  const world = two().running(there('a1', 'a', 1, { labels: { app: 'x' } }), there('b1', 'b', 2000, { cpu: '2' }))
  assert.deepEqual(plan(world, vip({ cpu: '1', labels: { app: 'x' }, ...spread })), ['a', 'a1'])
})
