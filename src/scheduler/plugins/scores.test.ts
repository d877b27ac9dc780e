import assert from 'node:assert/strict'
import { test } from 'node:test'
import { services } from '../../api/generated/resources.ts'
import { aNode, aPod, TestWorld } from '../testing/world.ts'

const zone = 'topology.kubernetes.io/zone'

test('the emptier node is preferred', () => {
  const world = new TestWorld([aNode('a'), aNode('b')]).running(aPod('there', { cpu: '1', memory: '1Gi', node: 'a' }))
  for (let i = 0; i < 5; i++) assert.equal(world.find(aPod('p', { cpu: '1', memory: '1Gi' })).node?.name, 'b')
})

test('Pods that ask for nothing spread too', () => {
  const world = new TestWorld([aNode('a'), aNode('b'), aNode('c')])
  for (let i = 0; i < 6; i++) assert.ok(world.place(aPod(`p${i}`)))
  assert.deepEqual(
    world.cache.nodes.map(({ pods }) => pods.size),
    [2, 2, 2],
  )
})

test('a node that is only disliked is the last choice', () => {
  const world = new TestWorld([aNode('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), aNode('b')]).running(
    aPod('there', { cpu: '1', node: 'b' }),
  )
  assert.equal(world.find(aPod('p')).node?.name, 'b')
  assert.equal(world.find(aPod('q', { tolerations: [{ operator: 'Exists' }] })).node?.name, 'a')
})

test('a preferred node wins over an emptier one, by its weight', () => {
  const world = new TestWorld([aNode('a', { labels: { disk: 'ssd' } }), aNode('b')]).running(
    aPod('there', { cpu: '1', node: 'a' }),
  )
  const preferring = {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
    ],
  }
  assert.equal(world.find(aPod('p', { affinity: { nodeAffinity: preferring } })).node?.name, 'a')
})

test('a node that has the image is preferred', () => {
  const world = new TestWorld([aNode('a', { images: [{ names: ['app:1'], sizeBytes: 900 << 20 }] }), aNode('b')])
  for (let i = 0; i < 5; i++) assert.equal(world.find(aPod('p')).node?.name, 'a')
})

test('a Pod is drawn to the Pods it would like to be near, and to those that would like it', () => {
  const nodes = [aNode('a', { labels: { [zone]: 'x' } }), aNode('b', { labels: { [zone]: 'y' } })]
  const liking = (app: string) => ({
    podAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: zone, labelSelector: { matchLabels: { app } } } },
      ],
    },
  })
  const world = new TestWorld(nodes).running(aPod('db', { labels: { app: 'db' }, node: 'a', affinity: liking('web') }))
  assert.equal(world.find(aPod('p', { affinity: liking('db') })).node?.name, 'a')
  assert.equal(world.find(aPod('q', { labels: { app: 'web' } })).node?.name, 'a')
  assert.equal(world.find(aPod('r')).node?.name, 'b')
})

test('the Pods of one Service spread over nodes by themselves, in a cluster without zones too', () => {
  for (const labels of [{}, { [zone]: 'x' }] as Record<string, string>[]) {
    const world = new TestWorld([aNode('a', { labels }), aNode('b', { labels })])
    world.put(services, { metadata: { name: 's', namespace: 'default' }, spec: { selector: { app: 'web' } } })
    world.running(
      aPod('web-1', { labels: { app: 'web' }, node: 'a' }),
      aPod('other-1', { node: 'b' }),
      aPod('other-2', { node: 'b' }),
      aPod('other-3', { node: 'b' }),
    )
    assert.equal(world.find(aPod('web-2', { labels: { app: 'web' } })).node?.name, 'b')
  }
})

test('ScheduleAnyway prefers the zone with fewer, and a full one does not stop the Pod', () => {
  const world = new TestWorld([aNode('a', { labels: { [zone]: 'x' } }), aNode('b', { labels: { [zone]: 'y' } })])
  const wishes = (name: string) =>
    aPod(name, {
      labels: { app: 'a' },
      topologySpreadConstraints: [
        {
          topologyKey: zone,
          maxSkew: 1,
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { app: 'a' } },
        },
      ],
    })
  for (let i = 0; i < 6; i++) assert.ok(world.place(wishes(`p${i}`)))
  assert.deepEqual(
    world.cache.nodes.map(({ pods }) => pods.size),
    [3, 3],
  )
  world.cache.removeNode('b')
  assert.equal(world.place(wishes('last')), 'a')
})
