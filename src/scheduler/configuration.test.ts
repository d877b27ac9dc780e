import assert from 'node:assert/strict'
import { test } from 'node:test'
import { profilesOf, type SchedulerConfiguration } from './configuration.ts'
import { aNode, aPod, TestWorld } from './testing/world.ts'

const only = (config: SchedulerConfiguration) => profilesOf(config)[0]!
const weightOf = (config: SchedulerConfiguration, plugin: string) =>
  only(config).plugins.find((p) => p.plugin.name === plugin)?.weight
const worldOf = (config: SchedulerConfiguration, nodes = [aNode('a'), aNode('b')]) =>
  new TestWorld(nodes, only(config).plugins)

test('without anything there is one profile, upstream\u2019s', () => {
  const { schedulerName, percentageOfNodesToScore } = only({})
  assert.deepEqual(
    [schedulerName, percentageOfNodesToScore, weightOf({}, 'TaintToleration')],
    ['default-scheduler', 0, 3],
  )
})

test('profiles have names of their own', () => {
  assert.deepEqual(
    profilesOf({ profiles: [{ schedulerName: 'x' }, {}] }).map((p) => p.schedulerName),
    ['x', 'default-scheduler'],
  )
  assert.throws(() => profilesOf({ profiles: [{}, {}] }), /Duplicate value: "default-scheduler"/)
  assert.throws(() => profilesOf({ kind: 'KubeProxyConfiguration' }), /KubeSchedulerConfiguration/)
})

test('weights are taken from multiPoint, and from score before it', () => {
  const multiPoint = { enabled: [{ name: 'NodeAffinity', weight: 5 }] }
  assert.equal(weightOf({ profiles: [{ plugins: { multiPoint } }] }, 'NodeAffinity'), 5)
  assert.equal(
    weightOf(
      { profiles: [{ plugins: { multiPoint, score: { enabled: [{ name: 'NodeAffinity', weight: 7 }] } } }] },
      'NodeAffinity',
    ),
    7,
  )
})

test('a plugin is off where it is disabled, and everywhere with multiPoint', () => {
  const tainted = [aNode('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] })]
  const without = (point: string, name: string) =>
    worldOf({ profiles: [{ plugins: { [point]: { disabled: [{ name }] } } }] }, tainted)
  assert.equal(worldOf({}, tainted).find(aPod('p')).node, undefined)
  assert.equal(without('filter', 'TaintToleration').find(aPod('p')).node?.name, 'a')
  assert.equal(without('multiPoint', 'TaintToleration').find(aPod('p')).node?.name, 'a')
  assert.equal(without('multiPoint', '*').find(aPod('p')).node?.name, 'a')
  assert.equal(without('score', 'TaintToleration').find(aPod('p')).node, undefined)
})

test('MostAllocated packs, and a ratio\u2019s shape says where the best is', () => {
  const strategy = (scoringStrategy: object) =>
    worldOf({
      profiles: [
        {
          pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy } }],
          plugins: { score: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit' }] } },
        },
      ],
    })
  const half = aPod('there', { cpu: '2', memory: '4Gi', node: 'a' })
  const small = aPod('p', { cpu: '1', memory: '1Gi' })
  assert.equal(strategy({}).running(half).find(small).node?.name, 'b')
  assert.equal(strategy({ type: 'MostAllocated' }).running(half).find(small).node?.name, 'a')
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 100, score: 10 },
  ]
  assert.equal(
    strategy({ type: 'RequestedToCapacityRatio', requestedToCapacityRatio: { shape } }).running(half).find(small).node
      ?.name,
    'a',
  )
  assert.throws(() => strategy({ type: 'Other' }), /Unsupported value: "Other"/)
})
