import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { namespaces } from '../../api/generated/resources.ts'
import type { Node, Pod, Toleration } from '../../api/generated/types/core-v1.ts'
import { aNode, aPod, TestWorld, type NodeWishes, type PodWishes } from '../testing/world.ts'

/** A row: what the node and the Pod are like, and why the node does not take it (nothing: it does). */
type Row = readonly [name: string, node: NodeWishes, pod: PodWishes, reasons?: readonly string[]]

function table(rows: readonly Row[]): void {
  for (const [name, node, pod, reasons] of rows) {
    test(name, () =>
      assert.deepEqual(new TestWorld([aNode('a', node)]).reasons(aPod('p', pod)), reasons ? { a: reasons } : {}),
    )
  }
}

describe('TaintToleration', () => {
  const taints = [{ key: 'k', value: 'v', effect: 'NoSchedule' }]
  const untolerated = ['node(s) had untolerated taint {k: v}']
  const tolerating = (...tolerations: Toleration[]) => ({ tolerations })
  table([
    ['a taint keeps a Pod away', { taints }, {}, untolerated],
    ['NoExecute too', { taints: [{ key: 'k', effect: 'NoExecute' }] }, {}, ['node(s) had untolerated taint {k: }']],
    ['PreferNoSchedule does not', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }, {}],
    ['equal key and value tolerate it', { taints }, tolerating({ key: 'k', value: 'v' })],
    ['another value does not', { taints }, tolerating({ key: 'k', value: 'w' }), untolerated],
    ['another effect does not', { taints }, tolerating({ key: 'k', value: 'v', effect: 'NoExecute' }), untolerated],
    ['Exists needs no value', { taints }, tolerating({ key: 'k', operator: 'Exists' })],
    ['Exists without a key tolerates everything', { taints }, tolerating({ operator: 'Exists' })],
    ['no key stands for any', { taints }, tolerating({ value: 'v' })],
  ])
})

describe('NodeUnschedulable', () => {
  table([
    ['a cordoned node takes nothing', { unschedulable: true }, {}, ['node(s) were unschedulable']],
    [
      'except what tolerates it',
      { unschedulable: true },
      { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }] },
    ],
  ])
})

describe('NodeAffinity', () => {
  const elsewhere = ["node(s) didn't match Pod's node affinity/selector"]
  const required = (...nodeSelectorTerms: object[]) => ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: nodeSelectorTerms as [] } },
    },
  })
  const needs = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator, values }],
  })
  const labels = { disk: 'ssd', cores: '8' }
  table([
    ['a selector holds', { labels }, { nodeSelector: { disk: 'ssd' } }],
    ['a selector does not hold', { labels }, { nodeSelector: { disk: 'hdd' } }, elsewhere],
    ['In', { labels }, required(needs('disk', 'In', 'hdd', 'ssd'))],
    ['NotIn', { labels }, required(needs('disk', 'NotIn', 'ssd')), elsewhere],
    ['NotIn of a label that is not there', { labels }, required(needs('gpu', 'NotIn', 'x'))],
    ['Exists', { labels }, required(needs('gpu', 'Exists')), elsewhere],
    ['DoesNotExist', { labels }, required(needs('gpu', 'DoesNotExist'))],
    ['Gt', { labels }, required(needs('cores', 'Gt', '7'))],
    ['Gt of the same', { labels }, required(needs('cores', 'Gt', '8')), elsewhere],
    ['Lt', { labels }, required(needs('cores', 'Lt', '9'))],
    ['Gt of what is no number', { labels }, required(needs('disk', 'Gt', '1')), elsewhere],
    ['one term of several is enough', { labels }, required(needs('gpu', 'Exists'), needs('disk', 'Exists'))],
    [
      'all of a term must hold',
      { labels },
      required({
        matchExpressions: [
          { key: 'disk', operator: 'Exists' },
          { key: 'gpu', operator: 'Exists' },
        ],
      }),
      elsewhere,
    ],
    ['an empty term holds for nothing', { labels }, required({}), elsewhere],
    ['by name', { labels }, required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] })],
    [
      'by another name',
      { labels },
      required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }),
      elsewhere,
    ],
    [
      'selector and affinity both',
      { labels },
      { nodeSelector: { disk: 'ssd' }, ...required(needs('gpu', 'Exists')) },
      elsewhere,
    ],
  ])
})

describe('NodePorts', () => {
  const taken = ["node(s) didn't have free ports for the requested pod ports"]
  const withPort = (hostPort: number, hostIP?: string, protocol = 'TCP') => ({
    containers: [
      {
        name: 'c',
        image: 'i',
        ports: [{ containerPort: 1, hostPort, protocol, ...(hostIP !== undefined && { hostIP }) }],
      },
    ],
  })
  const rows: readonly [string, PodWishes, PodWishes, boolean][] = [
    ['the same port collides', withPort(80), withPort(80), true],
    ['another port does not', withPort(80), withPort(81), false],
    ['another protocol does not', withPort(80), withPort(80, undefined, 'UDP'), false],
    ['another address does not', withPort(80, '10.0.0.1'), withPort(80, '10.0.0.2'), false],
    ['every address collides with one', withPort(80, '10.0.0.1'), withPort(80, '0.0.0.0'), true],
    ['one address collides with every', withPort(80), withPort(80, '10.0.0.1'), true],
  ]
  for (const [name, there, pod, collides] of rows) {
    test(name, () => {
      const world = new TestWorld([aNode('a')]).running(aPod('there', { ...there, node: 'a' }))
      assert.deepEqual(world.reasons(aPod('p', pod)), collides ? { a: taken } : {})
      world.cache.removePod('default/there')
      assert.deepEqual(world.reasons(aPod('p', pod)), {})
    })
  }
})

describe('NodeResourcesFit', () => {
  const containers = (...cpus: string[]) =>
    cpus.map((cpu, i) => ({ name: `c${i}`, image: 'i', resources: { requests: { cpu } } }))
  const sidecar = (cpu: string) => ({ ...containers(cpu)[0]!, restartPolicy: 'Always' })
  const full = ['Insufficient cpu']
  table([
    ['exactly what there is fits', { cpu: '2' }, { cpu: '2' }],
    ['more does not', { cpu: '2' }, { cpu: '2001m' }, full],
    [
      'every resource that lacks is named',
      { cpu: '1', memory: '1Gi' },
      { cpu: '2', memory: '2Gi' },
      ['Insufficient cpu', 'Insufficient memory'],
    ],
    ['containers add up', { cpu: '2' }, { containers: containers('1', '1500m') }, full],
    [
      'init containers run one after the other',
      { cpu: '2' },
      { containers: containers('1'), initContainers: containers('2', '2') },
    ],
    [
      'the largest init container counts',
      { cpu: '2' },
      { containers: containers('1'), initContainers: containers('3') },
      full,
    ],
    ['a sidecar stays', { cpu: '2' }, { containers: containers('1'), initContainers: [sidecar('1500m')] }, full],
    [
      'an init container runs beside earlier sidecars',
      { cpu: '2' },
      { containers: containers('100m'), initContainers: [sidecar('1'), ...containers('1500m')] },
      full,
    ],
    [
      'and not beside later ones',
      { cpu: '2' },
      { containers: containers('100m'), initContainers: [...containers('1500m'), sidecar('1')] },
    ],
    ['overhead counts', { cpu: '2' }, { cpu: '2', overhead: { cpu: '1m' } }, full],
    ['what is set for the whole Pod wins', { cpu: '2' }, { cpu: '1', resources: { requests: { cpu: '3' } } }, full],
    [
      'an extended resource that the node does not have',
      {},
      { containers: [{ name: 'c', image: 'i', resources: { requests: { 'example.com/gpu': '1' } } }] },
      ['Insufficient example.com/gpu'],
    ],
    ['nothing asked fits a node without anything', { cpu: '0', memory: '0' }, {}],
    ['as many Pods as the node takes', { pods: '0' }, {}, ['Too many pods']],
  ])
})

const zone = 'topology.kubernetes.io/zone'
const host = 'kubernetes.io/hostname'
const inZones = (...zones: (string | undefined)[]): Node[] =>
  zones.map((z, i) => aNode(`n${i}`, { labels: z === undefined ? {} : { [zone]: z } }))

describe('PodTopologySpread', () => {
  const skewed = "node(s) didn't match pod topology spread constraints"
  const spread = (more: object = {}, labels: Record<string, string> = { app: 'a' }): Pod =>
    aPod('p', {
      labels,
      topologySpreadConstraints: [
        {
          topologyKey: zone,
          maxSkew: 1,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'a' } },
          ...more,
        },
      ],
    })
  const there = (name: string, node: string, wishes: PodWishes = {}) =>
    aPod(name, { labels: { app: 'a' }, node, ...wishes })

  test('a Pod goes where fewest of its kind are, within the skew', () => {
    const world = new TestWorld(inZones('x', 'y')).running(there('1', 'n0'))
    assert.equal(world.find(spread()).node?.name, 'n1')
    world.cache.removeNode('n1')
    assert.equal(world.find(spread()).node?.name, 'n0')
  })
  test('a node without the label is left out, and says so', () => {
    assert.deepEqual(new TestWorld(inZones(undefined)).reasons(spread()), {
      n0: [`${skewed} (missing required label)`],
    })
  })
  test('fewer domains than asked for count as if one were empty', () => {
    const world = new TestWorld(inZones('x', 'y')).running(there('1', 'n0'), there('2', 'n1'))
    assert.ok(world.find(spread()).node)
    assert.deepEqual(world.reasons(spread({ minDomains: 3 })), { n0: [skewed], n1: [skewed] })
  })
  test('a Pod that its own selector does not choose does not count itself', () => {
    const world = new TestWorld(inZones('x', 'y')).running(there('1', 'n0'))
    assert.equal(world.reasons(spread({}, { app: 'b' }))['n0'], undefined)
  })
  test('Pods of other namespaces and ones that are going do not count', () => {
    const going = there('2', 'n0')
    const world = new TestWorld(inZones('x', 'y')).running(there('1', 'n0', { namespace: 'other' }), {
      ...going,
      metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
    })
    world.cache.setNode(aNode('n1', { labels: { [zone]: 'y' }, unschedulable: true }))
    assert.equal(world.find(spread()).node?.name, 'n0')
    world.running(there('3', 'n0'))
    assert.deepEqual(world.reasons(spread())['n0'], [skewed])
  })
  test('nodeAffinityPolicy: zones that the Pod may not go to count only when told to', () => {
    const nodes = inZones('x', 'y')
    const world = new TestWorld(nodes).running(there('1', 'n0'))
    const only = (nodeAffinityPolicy: string) => ({
      ...spread({ nodeAffinityPolicy }),
      spec: { ...spread({ nodeAffinityPolicy }).spec!, nodeSelector: { [host]: 'n0' } },
    })
    assert.equal(world.find(only('Honor')).node?.name, 'n0')
    assert.deepEqual(world.reasons(only('Ignore'))['n0'], [skewed])
  })
  test('nodeTaintsPolicy: tainted zones count unless told not to', () => {
    const nodes = [
      ...inZones('x'),
      aNode('n1', { labels: { [zone]: 'y' }, taints: [{ key: 'k', effect: 'NoSchedule' }] }),
    ]
    const world = new TestWorld(nodes).running(there('1', 'n0'))
    assert.deepEqual(world.reasons(spread({ nodeTaintsPolicy: 'Ignore' }))['n0'], [skewed])
    assert.equal(world.find(spread({ nodeTaintsPolicy: 'Honor' })).node?.name, 'n0')
  })
  test('matchLabelKeys: only Pods with the same value count', () => {
    const world = new TestWorld(inZones('x', 'y')).running(there('1', 'n0', { labels: { app: 'a', revision: '1' } }))
    world.cache.setNode(aNode('n1', { labels: { [zone]: 'y' }, unschedulable: true }))
    const pod = (revision: string) => spread({ matchLabelKeys: ['revision'] }, { app: 'a', revision })
    assert.equal(world.find(pod('2')).node?.name, 'n0')
    assert.deepEqual(world.reasons(pod('1'))['n0'], [skewed])
  })
})

describe('InterPodAffinity', () => {
  const term = (app: string, more: object = {}) => ({
    topologyKey: zone,
    labelSelector: { matchLabels: { app } },
    ...more,
  })
  const near = (...terms: object[]) => ({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms as [] } },
  })
  const away = (...terms: object[]) => ({
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms as [] } },
  })
  const there = (app: string, node: string, wishes: PodWishes = {}) =>
    aPod(`there-${app}-${node}`, { labels: { app }, node, ...wishes })

  test('a Pod goes to the zone of its friends', () => {
    const world = new TestWorld(inZones('x', 'y', 'y')).running(there('db', 'n1'))
    assert.deepEqual(
      world.reasons(aPod('p', near(term('web')))),
      Object.fromEntries(['n0', 'n1', 'n2'].map((n) => [n, ["node(s) didn't match pod affinity rules"]])),
    )
    assert.notEqual(world.find(aPod('p', near(term('db')))).node?.name, 'n0')
  })
  test('the first of a group that likes itself goes anywhere', () => {
    const world = new TestWorld(inZones('x', 'y'))
    assert.ok(world.place(aPod('p', { labels: { app: 'web' }, ...near(term('web')) })))
    const first = world.cache.nodes.find(({ pods }) => pods.size === 1)!.name
    assert.equal(world.find(aPod('q', { labels: { app: 'web' }, ...near(term('web')) })).node?.name, first)
  })
  test('a Pod stays away from those it does not like, and from those that do not like it', () => {
    const world = new TestWorld(inZones('x')).running(there('db', 'n0', away(term('web'))))
    assert.deepEqual(world.reasons(aPod('p', away(term('db')))), {
      n0: ["node(s) didn't match pod anti-affinity rules"],
    })
    assert.deepEqual(world.reasons(aPod('q', { labels: { app: 'web' } })), {
      n0: ["node(s) didn't satisfy existing pods anti-affinity rules"],
    })
    world.cache.removePod('default/there-db-n0')
    assert.deepEqual(world.reasons(aPod('q', { labels: { app: 'web' } })), {})
  })
  test('a term speaks of its Pod’s own namespace, of those it names, or of those it chooses by labels', () => {
    const world = new TestWorld(inZones('x')).running(there('db', 'n0', { namespace: 'prod' }))
    world.put(namespaces, { metadata: { name: 'prod', labels: { stage: 'live' } } })
    const refused = (more: object) => 'n0' in world.reasons(aPod('p', away(term('db', more))))
    assert.equal(refused({}), false)
    assert.equal(refused({ namespaces: ['prod'] }), true)
    assert.equal(refused({ namespaceSelector: { matchLabels: { stage: 'live' } } }), true)
    assert.equal(refused({ namespaceSelector: { matchLabels: { stage: 'test' } } }), false)
    assert.equal(refused({ namespaceSelector: {} }), true)
    // The namespace gets other labels: what was counted before does not hold any more.
    world.put(namespaces, { metadata: { name: 'prod', labels: { stage: 'test' }, resourceVersion: '2' } })
    world.cache.namespaceChanged()
    assert.equal(refused({ namespaceSelector: { matchLabels: { stage: 'live' } } }), false)
  })
})
