import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startTestServer } from '../server.test-support.ts'
import { IpRange, numberOf, textOf } from './ip-range.ts'

const services = '/api/v1/namespaces/default/services'
interface Spec {
  clusterIP: string
  clusterIPs: string[]
  ipFamilies: string[]
  ports: { nodePort?: number }[]
}
const port = { port: 80 }

test('addresses become numbers and texts again', () => {
  fc.assert(fc.property(fc.ipV4(), (ip) => assert.equal(textOf(numberOf(ip), 'IPv4'), ip)))
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (number) => assert.equal(numberOf(textOf(number, 'IPv6')), number)),
  )
})

test('every address of a range is in it, and none around it', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 16, max: 30 }), (ip, bits) => {
      const range = IpRange.parse(`${ip}/${bits}`)
      assert.ok(range.contains(range.at(0n)) && range.contains(range.at(range.size - 1n)))
      for (const outside of [numberOf(range.at(0n)) - 1n, numberOf(range.at(range.size - 1n)) + 1n])
        if (outside >= 0n && outside < 2n ** 32n) assert.ok(!range.contains(textOf(outside, 'IPv4')))
    }),
  )
})

test('a Service gets an address, keeps it, and gives it back', async (t) => {
  const { send } = await startTestServer(t, { serviceClusterIpRange: '10.0.0.0/29' })
  const made = await send('POST', services, { metadata: { name: 'a' }, spec: { ports: [port] } })
  const { clusterIP, clusterIPs, ipFamilies } = made.spec as unknown as Spec
  assert.deepEqual([clusterIPs, ipFamilies], [[clusterIP], ['IPv4']])
  const put = await send('PUT', `${services}/a`, {
    metadata: { name: 'a', labels: { x: 'y' } },
    spec: { ports: [port] },
  })
  assert.equal((put.spec as unknown as Spec).clusterIP, clusterIP)
  await assert.rejects(
    send('POST', services, { metadata: { name: 'b' }, spec: { clusterIP, ports: [port] } }),
    /already allocated/,
  )
  await send('DELETE', `${services}/a`)
  await send('POST', services, { metadata: { name: 'b' }, spec: { clusterIP, ports: [port] } })
})

test('a range is given out to its end, each address once', async (t) => {
  const { send } = await startTestServer(t, { serviceClusterIpRange: '10.0.0.0/29' })
  const made = await Promise.allSettled(
    Array.from({ length: 8 }, (_, i) =>
      send('POST', services, { metadata: { name: `s${i}` }, spec: { ports: [port] } }),
    ),
  )
  const ips = made.flatMap((result) =>
    result.status === 'fulfilled' ? [(result.value.spec as unknown as Spec).clusterIP] : [],
  )
  // Six of the eight addresses can be used, and the API server's own Service has one of them.
  assert.equal(ips.length, 5)
  assert.equal(new Set(ips).size, 5)
})

test('node ports are given out once, and again after their Service', async (t) => {
  const { send, clock } = await startTestServer(t, { serviceNodePortRange: '30000-30001' })
  const make = (name: string) =>
    send('POST', services, { metadata: { name }, spec: { type: 'NodePort', ports: [port] } })
  const made = [await make('a'), await make('b')].map(({ spec }) => (spec as unknown as Spec).ports[0]?.nodePort)
  assert.deepEqual(made.toSorted(), [30000, 30001])
  await assert.rejects(make('c'))
  await send('DELETE', `${services}/a`)
  await clock.settle()
  assert.equal(((await make('c')).spec as unknown as Spec).ports[0]?.nodePort, made[0])
})

test('a dry run takes no address', async (t) => {
  const { send } = await startTestServer(t)
  await send(
    'POST',
    services,
    { metadata: { name: 'a' }, spec: { clusterIP: '10.96.0.77', ports: [port] } },
    { query: { dryRun: 'All' } },
  )
  await send('POST', services, { metadata: { name: 'a' }, spec: { clusterIP: '10.96.0.77', ports: [port] } })
})

test('two ports of a new Service share a node port only when they differ in nothing but the protocol', async (t) => {
  const { send } = await startTestServer(t)
  const make = (name: string, ports: object[]) =>
    send('POST', services, { metadata: { name }, spec: { type: 'NodePort', ports } })
  const refused = (error: unknown) =>
    /spec.ports\[1\].nodePort: Invalid value: 30080: provided port is already allocated/.test(String(error))
  await assert.rejects(
    make('a', [
      { name: 'a', port: 80, nodePort: 30080 },
      { name: 'b', port: 81, nodePort: 30080 },
    ]),
    refused,
  )
  const { ports } = (
    await make('b', [
      { name: 'a', port: 53, protocol: 'UDP' },
      { name: 'b', port: 53, nodePort: 30080 },
    ])
  ).spec as unknown as Spec
  assert.deepEqual(
    ports.map(({ nodePort }) => nodePort),
    [30080, 30080],
  )
})

test('a dry run shows node ports that nobody has, behind those that were wished for', async (t) => {
  const { send } = await startTestServer(t)
  const tried = async (ports: object[]) =>
    (
      (
        await send(
          'POST',
          services,
          { metadata: { name: 'a' }, spec: { type: 'NodePort', ports } },
          { query: { dryRun: 'All' } },
        )
      ).spec as unknown as Spec
    ).ports.map(({ nodePort }) => nodePort)
  assert.deepEqual(
    await tried([
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ]),
    [32769, 32770],
  )
  assert.deepEqual(
    await tried([
      { name: 'a', port: 80, nodePort: 30080 },
      { name: 'b', port: 81 },
    ]),
    [30080, 30081],
  )
})
