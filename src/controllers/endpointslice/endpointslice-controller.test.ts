import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointSlices, endpoints, events, nodes, pods, services } from '../../api/generated/resources.ts'
import type { Pod, Service } from '../../api/generated/types/core-v1.ts'
import { startWorld, type World } from '../testing/world.ts'
import { planGroup } from './slice-plan.ts'

const controllers = ['endpointslice-controller', 'endpoints-controller', 'endpointslice-mirroring-controller']
const service = (changes: Partial<Service['spec'] & object> = {}): Service => ({
  metadata: { namespace: 'default', name: 'web', labels: { team: 'a' } },
  spec: {
    clusterIP: '10.96.0.7',
    ipFamilies: ['IPv4'],
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }],
    ...changes,
  },
})

interface Backend {
  readonly name: string
  readonly ip: string
  readonly ready?: boolean
  readonly port?: number
}

async function addPod(world: World, { name, ip, ready = true, port = 8080 }: Backend): Promise<void> {
  const pod: Pod = {
    metadata: { namespace: 'default', name, labels: { app: 'web' } },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'c', image: 'a', ports: [{ name: 'web', containerPort: port, protocol: 'TCP' }] }],
    },
  }
  const created = await world.client.create(pods, pod)
  await world.client.updateStatus(pods, {
    ...created,
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  })
  await world.clock.settle()
}

const slicesOf = async (world: World) => (await world.client.list(endpointSlices)).items

async function start(): Promise<World> {
  const world = await startWorld(controllers)
  await world.client.create(nodes, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } })
  return world
}

test('a Service without pods has an empty slice and empty Endpoints', async () => {
  await using world = await start()
  await world.client.create(services, service())
  await world.clock.settle()
  const [slice, ...more] = await slicesOf(world)
  assert.deepEqual(more, [])
  assert.equal(slice?.endpoints?.length ?? 0, 0)
  assert.equal(slice?.metadata.labels?.['kubernetes.io/service-name'], 'web')
  assert.equal(slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'], 'endpointslice-controller.k8s.io')
  assert.equal((await world.client.list(endpoints)).items.length, 1)
})

test('ready and unready pods are published with their conditions', async () => {
  await using world = await start()
  await world.client.create(services, service())
  await addPod(world, { name: 'a', ip: '10.244.0.1' })
  await addPod(world, { name: 'b', ip: '10.244.0.2', ready: false })
  const [slice, ...more] = await slicesOf(world)
  assert.deepEqual(more, [])
  assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  assert.deepEqual(
    slice?.endpoints?.map(({ addresses, conditions, zone }) => [addresses[0], conditions?.ready, zone]),
    [
      ['10.244.0.1', true, 'z1'],
      ['10.244.0.2', false, 'z1'],
    ],
  )
  const subset = (await world.client.get(endpoints, { namespace: 'default', name: 'web' })).subsets?.[0]
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    ['10.244.0.1'],
  )
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ ip }) => ip),
    ['10.244.0.2'],
  )
})

test('pods whose named port differs are in slices of their own', async () => {
  await using world = await start()
  await world.client.create(services, service())
  await addPod(world, { name: 'a', ip: '10.244.0.1' })
  await addPod(world, { name: 'b', ip: '10.244.0.2', port: 9090 })
  assert.deepEqual((await slicesOf(world)).map((slice) => slice.ports?.[0]?.port).sort(), [8080, 9090])
})

test('a slice stays when the first pod comes and when the port changes: watchers see it change, not go', async () => {
  await using world = await start()
  const created = await world.client.create(services, service())
  await world.clock.settle()
  const [empty] = await slicesOf(world)
  await addPod(world, { name: 'a', ip: '10.244.0.1' })
  const ports = [{ name: 'http', port: 80, targetPort: 9090, protocol: 'TCP' }] as const
  await world.client.update(services, { ...created, spec: { ...created.spec, ports } })
  await world.clock.settle()
  const [slice, ...more] = await slicesOf(world)
  assert.deepEqual(more, [])
  assert.equal(slice?.metadata.uid, empty?.metadata.uid)
  assert.deepEqual([slice?.ports?.[0]?.port, slice?.endpoints?.length], [9090, 1])
})

test('a pod that goes leaves the slices, and the placeholder comes back', async () => {
  await using world = await start()
  await world.client.create(services, service())
  await addPod(world, { name: 'a', ip: '10.244.0.1' })
  await world.client.delete(pods, { namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 })
  await world.clock.settle()
  const slices = await slicesOf(world)
  assert.equal(slices.length, 1)
  assert.equal(slices[0]?.endpoints?.length ?? 0, 0)
})

test('labels of the Service are copied when they change', async () => {
  await using world = await start()
  await world.client.create(services, service())
  await world.clock.settle()
  await world.client.patch(
    services,
    { namespace: 'default', name: 'web' },
    { metadata: { labels: { team: 'b' } } },
    { type: 'merge' },
  )
  await world.clock.settle()
  assert.equal((await slicesOf(world))[0]?.metadata.labels?.['team'], 'b')
})

test('Endpoints written by hand are mirrored', async () => {
  await using world = await start()
  const { selector: _, ...spec } = service().spec ?? {}
  await world.client.create(services, { ...service(), spec })
  await world.client.create(endpoints, {
    metadata: { namespace: 'default', name: 'web' },
    subsets: [{ addresses: [{ ip: '1.2.3.4' }], ports: [{ port: 80 }] }],
  })
  await world.clock.settle()
  const slices = await slicesOf(world)
  assert.equal(slices.length, 1)
  assert.equal(
    slices[0]?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
    'endpointslicemirroring-controller.k8s.io',
  )
  assert.deepEqual(slices[0]?.endpoints?.[0]?.addresses, ['1.2.3.4'])
  await world.client.delete(endpoints, { namespace: 'default', name: 'web' })
  await world.clock.settle()
  assert.equal((await slicesOf(world)).length, 0)
})

test('of more addresses than can be mirrored it is said how many are left out', async () => {
  await using world = await start()
  const { selector: _, ...spec } = service().spec ?? {}
  await world.client.create(services, { ...service(), spec })
  const addresses = Array.from({ length: 1003 }, (_none, i) => ({ ip: `10.1.${i >> 8}.${i & 255}` }))
  await world.client.create(endpoints, {
    metadata: { namespace: 'default', name: 'web' },
    subsets: [{ addresses, ports: [{ port: 80 }] }],
  })
  await world.clock.advance(10_000)
  assert.equal((await slicesOf(world)).flatMap((slice) => slice.endpoints ?? []).length, 1000)
  const told = (await world.client.list(events)).items.find(({ reason }) => reason === 'TooManyAddressesToMirror')
  assert.match(told?.message ?? '', /^A max of 1000 addresses can be mirrored .* 3 addresses were skipped$/)
})

test('nothing more is written once the slices are right', async () => {
  await using world = await start()
  await world.client.create(services, service())
  await addPod(world, { name: 'a', ip: '10.244.0.1' })
  world.writes.length = 0
  await world.client.patch(
    services,
    { namespace: 'default', name: 'web' },
    { metadata: { annotations: { note: 'x' } } },
    { type: 'merge' },
  )
  await world.clock.advance(600_000)
  assert.deepEqual(world.writes, [])
})

test('a new endpoint goes where something changes anyway, and a slice is never overfull', () => {
  const endpoint = (n: number) => ({ addresses: [`10.0.0.${n}`] })
  const slice = (name: string, numbers: number[]) => ({
    metadata: { name },
    addressType: 'IPv4',
    ports: [],
    endpoints: numbers.map(endpoint),
  })
  const plan = planGroup(
    [slice('full', [1, 2, 3]), slice('loses', [4, 5])],
    { ports: [], endpoints: [1, 2, 3, 5, 6, 7, 8].map(endpoint) },
    3,
  )
  assert.deepEqual(
    plan.update.map(({ metadata, endpoints: list }) => [metadata.name, list?.length]),
    [['loses', 3]],
  )
  assert.deepEqual(
    plan.create.map((group) => group.endpoints.length),
    [1],
  )
  assert.deepEqual(plan.remove, [])
})
