import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointSlices, events, nodes, pods, services } from '../../api/generated/resources.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { startWorld, type World } from '../testing/world.ts'
import { cpuShares, withZoneHints } from './topology-hints.ts'

const node = (name: string, zone: string | undefined, cpu: string, labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels: { ...labels, ...(zone && { 'topology.kubernetes.io/zone': zone }) } },
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: 'True' }] },
})

test('the CPUs of ready nodes count, of all but those of the control plane', () => {
  const control = node('c', 'a', '64', { 'node-role.kubernetes.io/control-plane': '' })
  const gone = { ...node('d', 'a', '64'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
  const shares = cpuShares([node('n', 'a', '3'), node('m', 'b', '500m'), node('o', 'b', '500m'), control, gone])
  assert.deepEqual(
    [...(shares ?? [])],
    [
      ['a', 0.75],
      ['b', 0.25],
    ],
  )
})

for (const [why, all] of [
  ['one node has no zone', [node('n', 'a', '1'), node('m', 'b', '1'), node('o', undefined, '1')]],
  ['one node does not say its CPUs', [node('n', 'a', '1'), node('m', 'b', '0')]],
  ['there is one zone only', [node('n', 'a', '1'), node('m', 'a', '1')]],
] as const)
  test(`nothing is shared where ${why}`, () => assert.equal(cpuShares(all), undefined))

/** 'aab': two endpoints in zone a, one in b; a capital is not ready. */
const endpointsIn = (zones: string): Endpoint[] =>
  [...zones].map((letter, i) => ({
    addresses: [`10.0.0.${i + 1}`],
    conditions: { ready: letter !== letter.toUpperCase() },
    zone: letter.toLowerCase(),
  }))

const hintsOf = (endpoints: readonly Frozen<Endpoint>[]): string =>
  endpoints.map(({ hints }) => hints?.forZones?.[0]?.name ?? '-').join('')

const hinted = (zones: string, shares: Readonly<Record<string, number>> | undefined, existing: Endpoint[] = []) => {
  const slice: EndpointSlice = { metadata: { name: 's' }, addressType: 'IPv4', endpoints: existing }
  return withZoneHints(
    new Map([['p', { ports: [], endpoints: endpointsIn(zones) }]]),
    [slice],
    shares && new Map(Object.entries(shares)),
  )
}

for (const [name, zones, shares, want] of [
  ['each endpoint serves its own zone where that is even', 'aabb', { a: 0.5, b: 0.5 }, 'aabb'],
  ['a zone that has too many lends', 'aaab', { a: 0.5, b: 0.5 }, 'baab'],
  ['a zone without endpoints borrows', 'aaaa', { a: 0.75, b: 0.25 }, 'baaa'],
  ['nothing moves for less than half an endpoint', 'aaaabbb', { a: 0.5, b: 0.5 }, 'aaaabbb'],
  ['a zone without CPUs lends all', 'ccab', { a: 0.5, b: 0.5 }, 'baab'],
  ['endpoints that are not ready have none', 'aAbB', { a: 0.5, b: 0.5 }, 'a-b-'],
] as const)
  test(name, () => {
    const outcome = hinted(zones, shares)
    assert.equal('problem' in outcome ? outcome.problem : hintsOf(outcome.groups.get('p')?.endpoints ?? []), want)
  })

test('without hints for one there are hints for none, and it is said why', () => {
  const text = (outcome: ReturnType<typeof hinted>) => ('problem' in outcome ? outcome.problem : 'none')
  assert.match(text(hinted('ab', undefined)), /^Insufficient Node information/)
  assert.equal(text(hinted('a', { a: 0.5, b: 0.5 })), 'Insufficient number of endpoints (1 endpoints, 2 zones)')
  assert.match(
    text(hinted('abc', { a: 0.45, b: 0.45, c: 0.1 })),
    /^Unable to allocate minimum required endpoints .*3 z/,
  )
  const unplaced = new Map([
    ['p', { ports: [], endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }] }],
  ])
  assert.deepEqual(withZoneHints(unplaced, [], new Map([['a', 1]])), {
    problem: 'One or more endpoints do not have a zone specified',
  })
})

const afterHints = (zones: string, hints: string, shares: Record<string, number>): string => {
  const present = endpointsIn(zones).map((endpoint, i) => ({
    ...endpoint,
    hints: { forZones: [{ name: hints[i] ?? '' }] },
  }))
  const outcome = hinted(zones, shares, present)
  return 'problem' in outcome ? outcome.problem : hintsOf(outcome.groups.get('p')?.endpoints ?? [])
}

test('hints stay as they are while every zone has enough; only what is too many moves', () => {
  assert.equal(afterHints('aaabbb', 'baabba', { a: 0.5, b: 0.5 }), 'baabba')
  assert.equal(afterHints('aaabbb', 'baabba', { a: 0.8, b: 0.2 }), 'baabaa')
})

test('where hints that could stay would leave a zone with too few, all are given anew', () => {
  const zones = 'a'.repeat(10) + 'b'.repeat(10) + 'c'.repeat(10)
  const hints = 'a'.repeat(12) + 'b'.repeat(12) + 'c'.repeat(6)
  assert.equal(afterHints(zones, hints, { a: 1 / 3, b: 1 / 3, c: 1 / 3 }), zones)
})

async function startZones(): Promise<World> {
  const world = await startWorld(['endpointslice-controller'])
  for (const zone of ['a', 'b']) {
    const made = await world.client.create(nodes, { metadata: node(zone, zone, '2').metadata })
    await world.client.updateStatus(nodes, { ...made, status: node(zone, zone, '2').status ?? {} })
  }
  await world.client.create(services, {
    metadata: { namespace: 'default', name: 'web', annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } },
    spec: { clusterIP: '10.96.0.7', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ port: 80 }] },
  })
  for (const [i, name] of ['w', 'x', 'y', 'z'].entries())
    await world.client.create(pods, {
      metadata: { namespace: 'default', name, labels: { app: 'web' } },
      spec: { nodeName: i < 3 ? 'a' : 'b', containers: [{ name: 'c', image: 'i' }] },
    })
  await world.runPods()
  return world
}

const hintsNow = async (world: World): Promise<string> =>
  hintsOf((await world.client.list(endpointSlices)).items.flatMap(({ endpoints }) => endpoints ?? []))

test('a Service that asks for zones by annotation gets them, and loses them when a zone is lost', async () => {
  await using world = await startZones()
  assert.deepEqual([...(await hintsNow(world))].sort().join(''), 'aabb')
  world.writes.length = 0
  await world.clock.advance(60_000)
  assert.deepEqual(
    world.writes.filter((write) => write.includes('endpointslices')),
    [],
  )

  const lost = await world.client.get(nodes, { name: 'b' })
  await world.client.updateStatus(nodes, {
    ...lost,
    status: { ...lost.status, conditions: [{ type: 'Ready', status: 'Unknown' }] },
  })
  await world.clock.advance(60_000)
  assert.equal(await hintsNow(world), '----')
  const told = (await world.client.list(events)).items.map(({ reason, message }) => `${reason}: ${message}`)
  assert.ok(told.includes('TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4'))
  assert.ok(told.some((line) => /^TopologyAwareHintsDisabled: Insufficient Node information.*IPv4$/.test(line)))
})
