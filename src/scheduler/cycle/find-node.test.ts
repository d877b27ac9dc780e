import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type {
  Node,
  Pod,
  PodAffinityTerm,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '../../api/generated/types/core-v1.ts'
import { aNode, aPod, TestWorld } from '../testing/world.ts'

// A naive reference: what the documentation says, counted anew for every Pod and node.

interface Placed {
  readonly pod: Pod
  readonly node: Node
}

const labelsMatch = (
  selector: { matchLabels?: Record<string, string> } | undefined,
  labels: Record<string, string> = {},
) => selector !== undefined && Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)

const tolerated = (taint: Taint, tolerations: readonly Toleration[] = []) =>
  tolerations.some(
    (t) =>
      (!t.effect || t.effect === taint.effect) &&
      (t.operator === 'Exists'
        ? !t.key || t.key === taint.key
        : t.key === taint.key && (t.value ?? '') === (taint.value ?? '')),
  )

const tainted = (node: Node, pod: Pod) =>
  (node.spec?.taints ?? []).some(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerated(taint, pod.spec?.tolerations),
  )
const selected = (node: Node, pod: Pod) =>
  Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value)
const milli = (text: string | undefined) =>
  text === undefined ? 0 : text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000
const cpuOf = (pod: Pod) => milli(pod.spec?.containers[0]?.resources?.requests?.['cpu'])
const portOf = (pod: Pod) => pod.spec?.containers[0]?.ports?.[0]?.hostPort
const domain = (node: Node, key: string) => node.metadata.labels?.[key]
const chosen = (term: PodAffinityTerm, pod: Pod) => labelsMatch(term.labelSelector, pod.metadata.labels)
const near = (a: Node, b: Node, key: string) => domain(a, key) !== undefined && domain(a, key) === domain(b, key)
const affinityOf = (pod: Pod) => pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
const antiAffinityOf = (pod: Pod) =>
  pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []

function affinityHolds(node: Node, pod: Pod, placed: readonly Placed[]): boolean {
  const terms = affinityOf(pod)
  if (terms.length === 0) return true
  if (terms.some((term) => domain(node, term.topologyKey) === undefined)) return false
  const friends = placed.filter((p) => terms.every((term) => chosen(term, p.pod)))
  if (terms.every((term) => friends.some((p) => near(p.node, node, term.topologyKey)))) return true
  const nobody = friends.every((p) => terms.every((term) => domain(p.node, term.topologyKey) === undefined))
  return nobody && terms.every((term) => chosen(term, pod))
}

const repelled = (node: Node, pod: Pod, placed: readonly Placed[]) =>
  placed.some(
    (p) =>
      antiAffinityOf(pod).some((term) => chosen(term, p.pod) && near(p.node, node, term.topologyKey)) ||
      antiAffinityOf(p.pod).some((term) => chosen(term, pod) && near(p.node, node, term.topologyKey)),
  )

function skewed(node: Node, pod: Pod, placed: readonly Placed[], nodes: readonly Node[]): boolean {
  const constraints = (pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'DoNotSchedule')
  return constraints.some((c) => {
    const counts = new Map<string, number>()
    const counting = nodes.filter(
      (n) =>
        constraints.every((other) => domain(n, other.topologyKey) !== undefined) &&
        (c.nodeAffinityPolicy === 'Ignore' || selected(n, pod)) &&
        (c.nodeTaintsPolicy !== 'Honor' || !tainted(n, pod)),
    )
    for (const n of counting) counts.set(domain(n, c.topologyKey)!, 0)
    for (const p of placed)
      if (counting.includes(p.node) && labelsMatch(c.labelSelector, p.pod.metadata.labels))
        counts.set(domain(p.node, c.topologyKey)!, counts.get(domain(p.node, c.topologyKey)!)! + 1)
    const own = domain(node, c.topologyKey)
    if (own === undefined) return true
    const least = counts.size < (c.minDomains ?? 1) ? 0 : Math.min(...counts.values())
    return (counts.get(own) ?? 0) + (labelsMatch(c.labelSelector, pod.metadata.labels) ? 1 : 0) - least > c.maxSkew
  })
}

function fits(node: Node, pod: Pod, placed: readonly Placed[], nodes: readonly Node[]): boolean {
  const here = placed.filter((p) => p.node === node)
  const used = here.reduce((sum, p) => sum + cpuOf(p.pod), 0)
  if (cpuOf(pod) > 0 && used + cpuOf(pod) > milli(node.status?.allocatable?.['cpu'])) return false
  if (here.length + 1 > Number(node.status?.allocatable?.['pods'])) return false
  if (portOf(pod) !== undefined && here.some((p) => portOf(p.pod) === portOf(pod))) return false
  if (node.spec?.unschedulable || tainted(node, pod) || !selected(node, pod)) return false
  return affinityHolds(node, pod, placed) && !repelled(node, pod, placed) && !skewed(node, pod, placed, nodes)
}

const zone = 'topology.kubernetes.io/zone'
const host = 'kubernetes.io/hostname'
const app = fc.constantFrom('a', 'b')
const term = fc.record({
  topologyKey: fc.constantFrom(zone, host),
  labelSelector: app.map((value) => ({ matchLabels: { app: value } })),
})
const constraint: fc.Arbitrary<TopologySpreadConstraint> = fc.record(
  {
    topologyKey: fc.constantFrom(zone, host),
    whenUnsatisfiable: fc.constantFrom('DoNotSchedule', 'DoNotSchedule', 'ScheduleAnyway'),
    maxSkew: fc.integer({ min: 1, max: 2 }),
    labelSelector: app.map((value) => ({ matchLabels: { app: value } })),
    minDomains: fc.integer({ min: 1, max: 4 }),
    nodeAffinityPolicy: fc.constantFrom('Honor', 'Ignore'),
    nodeTaintsPolicy: fc.constantFrom('Honor', 'Ignore'),
  },
  { requiredKeys: ['topologyKey', 'whenUnsatisfiable', 'maxSkew', 'labelSelector'] },
)
const someNodes = fc
  .array(
    fc.record({
      zone: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined, freq: 6 }),
      disk: fc.constantFrom('ssd', 'hdd'),
      cpu: fc.constantFrom('1', '2', '500m'),
      pods: fc.constantFrom('2', '5'),
      tainted: fc.constantFrom('no', 'no', 'no', 'NoSchedule', 'PreferNoSchedule'),
      unschedulable: fc.constantFrom(false, false, false, false, true),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((wishes) =>
    wishes.map(({ zone: z, disk, tainted: effect, ...rest }, i) =>
      aNode(`n${i}`, {
        ...rest,
        labels: { disk, ...(z && { [zone]: z }) },
        ...(effect !== 'no' && { taints: [{ key: 'special', value: 'yes', effect }] }),
      }),
    ),
  )
const somePods = fc
  .array(
    fc.record(
      {
        app,
        cpu: fc.constantFrom('100m', '300m', '1'),
        hostPort: fc.constantFrom(80, 81),
        disk: fc.constantFrom('ssd', 'hdd'),
        tolerates: fc.boolean(),
        affinity: fc.array(term, { maxLength: 2 }),
        anti: fc.array(term, { maxLength: 1 }),
        spread: fc.array(constraint, { maxLength: 2 }),
      },
      { requiredKeys: ['app', 'cpu'] },
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((wishes) =>
    wishes.map(({ app: label, disk, tolerates, affinity, anti, spread, cpu, hostPort }, i) =>
      aPod(`p${i}`, {
        labels: { app: label },
        cpu,
        ...(hostPort !== undefined && { hostPort }),
        ...(disk && { nodeSelector: { disk } }),
        ...(tolerates && { tolerations: [{ key: 'special', operator: 'Exists' }] }),
        ...(spread && { topologySpreadConstraints: spread }),
        affinity: {
          ...(affinity && { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: affinity } }),
          ...(anti && { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: anti } }),
        },
      }),
    ),
  )

test('whatever the nodes and Pods are: a Pod goes only where a naive reference lets it, and is rejected only where that rejects all nodes', () => {
  fc.assert(
    fc.property(someNodes, somePods, fc.array(fc.nat(11), { maxLength: 4 }), (nodes, pods, leaving) => {
      const world = new TestWorld(nodes)
      const placed: Placed[] = []
      pods.forEach((pod, i) => {
        const name = world.place(pod)
        const allowed = nodes.filter((node) => fits(node, pod, placed, nodes)).map((node) => node.metadata.name!)
        if (name === undefined) assert.deepEqual(allowed, [], `${pod.metadata.name} was rejected, but fits`)
        else {
          assert.ok(allowed.includes(name), `${pod.metadata.name} went to ${name}, but fits only ${allowed.join(', ')}`)
          placed.push({ pod, node: nodes.find((n) => n.metadata.name === name)! })
        }
        // Some Pods leave, so that what is counted also goes down.
        if (!leaving.includes(i) || placed.length === 0) return
        const [gone] = placed.splice(i % placed.length, 1)
        world.cache.removePod(`default/${gone!.pod.metadata.name}`)
      })
    }),
    { numRuns: 200 },
  )
})

test('of equal nodes each gets its turn', () => {
  const world = new TestWorld(['a', 'b', 'c'].map((name) => aNode(name)))
  const seen = new Set(Array.from({ length: 30 }, () => world.find(aPod('p')).node?.name))
  assert.deepEqual([...seen].sort(), ['a', 'b', 'c'])
})

test('a large cluster is not looked at whole, and the next search goes on where the last one ended', () => {
  const world = new TestWorld(Array.from({ length: 1000 }, (_, i) => aNode(`n${i}`)))
  const search = world.search as { percentage: number; start: number }
  search.percentage = 0
  const found = world.find(aPod('p'))
  assert.equal(found.node !== undefined && found.evaluated, 420) // 50 % - 1000/125
  assert.equal(search.start, 420)
  search.percentage = 20
  const again = world.find(aPod('p'))
  assert.equal(again.node !== undefined && again.evaluated, 200)
})

test('what was remembered of a node is forgotten when the node changes', () => {
  const world = new TestWorld([aNode('a', { cpu: '1' })])
  assert.deepEqual(world.reasons(aPod('p', { cpu: '2' })), { a: ['Insufficient cpu'] })
  world.cache.setNode(aNode('a', { cpu: '2' }))
  assert.equal(world.place(aPod('p', { cpu: '2' })), 'a')
  assert.deepEqual(world.reasons(aPod('q', { cpu: '2' })), { a: ['Insufficient cpu'] })
  world.cache.removePod('default/p')
  assert.equal(world.place(aPod('q', { cpu: '2' })), 'a')
})

test('room that a more important Pod was promised is not given to another', () => {
  const world = new TestWorld([aNode('a', { cpu: '1' })])
  const promised = world.cache.infoOf(aPod('vip', { cpu: '1', priority: 10 }))
  const search = { ...world.search, nominated: new Map([['a', new Map([[promised.key, promised]])]]) }
  Object.assign(world.search, search)
  assert.deepEqual(world.reasons(aPod('p', { cpu: '1' })), { a: ['Insufficient cpu'] })
  assert.equal(world.find(aPod('q', { cpu: '1', priority: 20 })).node?.name, 'a')
  assert.equal(world.find(aPod('vip', { cpu: '1', priority: 10 })).node?.name, 'a')
})
