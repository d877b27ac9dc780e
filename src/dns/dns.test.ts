import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { endpointSlices, namespaces, services } from '../api/generated/resources.ts'
import type { ServiceSpec } from '../api/generated/types/core-v1.ts'
import type { Endpoint } from '../api/generated/types/discovery-v1.ts'
import { realClock, VirtualClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { seededRandom } from '../base/random.ts'
import { startTestApi } from '../../test/api.ts'
import { startDns } from './dns.ts'
import { newForwarder } from './forward/forwarder.ts'
import { parseResolvConf } from './forward/resolv-conf.ts'
import { Responder } from './responder.ts'
import { ensureDnsService, removeDnsEndpoint } from './service.ts'
import { parseQuery } from './wire/query.ts'
import { ClusterZone } from './zone/cluster-zone.ts'

const loopback = '127.0.0.1'
const ports = [
  { name: 'http', port: 80, protocol: 'TCP' },
  { name: 'stats', port: 9090, protocol: 'UDP' },
]

async function start(t: TestContext, upstreams: { address: string; port: number }[] = []) {
  const random = seededRandom(1)
  const deps = { clock: realClock, random, log: silentLogger, metrics: new Metrics() }
  const api = await startTestApi(deps, { serviceClusterIpRange: '10.96.0.0/12,fd00::/112' })
  const { client } = api
  const create = (name: string, spec: ServiceSpec) =>
    client.create(services, { metadata: { name, namespace: 'shop' }, spec })
  const slice = (service: string, endpoints: Endpoint[]) =>
    client.create(endpointSlices, {
      metadata: { name: `${service}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      ports: ports.map((port) => ({ ...port, port: port.port + 8000 })),
      endpoints,
    })
  await client.create(namespaces, { metadata: { name: 'shop' } })
  await create('web', {
    clusterIP: '10.96.0.5',
    clusterIPs: ['10.96.0.5', 'fd00::5'],
    ipFamilyPolicy: 'RequireDualStack',
    ports,
  })
  await create('db', { clusterIP: 'None', clusterIPs: ['None'], ports })
  await create('empty', { clusterIP: 'None', ports })
  await create('outside', { type: 'ExternalName', externalName: 'www.example.com' })
  await create('inside', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' })
  await create('twice', { type: 'ExternalName', externalName: 'inside.shop.svc.cluster.local' })
  await create('long', { type: 'ExternalName', externalName: `${'a'.repeat(200)}.com` })
  await create('round', { type: 'ExternalName', externalName: 'round.shop.svc.cluster.local' })
  await slice('db', [
    { addresses: ['10.244.0.2'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.0.3'], conditions: { ready: true } },
    { addresses: ['10.244.0.4'], conditions: { ready: false } },
  ])
  await slice('web', [{ addresses: ['10.244.0.7'], hostname: 'web-0', conditions: { ready: true } }])
  const dns = await startDns({ ...deps, client, listen: [{ host: loopback, port: 0 }], upstreams })
  t.after(async () => {
    await dns.close()
    await api.close()
  })
  await dns.synced
  const { port } = dns.addresses[0]!
  const ask = async (name: string, type: string, options: { tcp?: boolean; size?: number } = {}) => {
    const additionals = options.size ? [{ type: 'OPT', name: '.', udpPayloadSize: options.size, options: [] }] : []
    const message = dnsPacket.encode({
      type: 'query',
      id: Math.floor(random.number() * 65536),
      flags: dnsPacket.RECURSION_DESIRED,
      questions: [{ name, type }],
      additionals,
    })
    const answer = dnsPacket.decode(options.tcp ? await byTcp(port, message) : await byUdp(port, message))
    assert.equal(answer.id, message.readUInt16BE(0))
    return answer
  }
  /** 'NOERROR A 10.96.0.5' and so on, sorted. */
  const said = async (name: string, type: string) => {
    const { rcode, answers } = await ask(name, type)
    return [rcode, ...answers.map((record) => `${record.type} ${text(record.data)}`).sort()].join(', ')
  }
  return { client, ask, said, port, metrics: deps.metrics }
}

function text(data: unknown): string {
  if (Array.isArray(data)) return data.map(String).join(' ')
  if (typeof data !== 'object' || data === null) return String(data)
  const { port, target } = data as { port?: number; target?: string }
  return `${port} ${target}`
}

function byUdp(port: number, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const timer = setTimeout(() => (socket.close(), reject(new Error('no answer'))), 5000)
    socket.on('message', (answer) => (clearTimeout(timer), socket.close(), resolve(answer)))
    socket.send(message, port, loopback)
  })
}

function byTcp(port: number, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: loopback, port })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    // In two pieces: a message need not come whole.
    socket.write(Buffer.concat([length, message.subarray(0, 5)]), () =>
      setImmediate(() => socket.write(message.subarray(5))),
    )
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 + received.readUInt16BE(0)) return
      socket.destroy()
      resolve(received.subarray(2))
    })
    socket.on('error', reject)
  })
}

test('the names of the specification', async (t) => {
  const { said } = await start(t)
  const table: [name: string, type: string, want: string][] = [
    ['web.shop.svc.cluster.local', 'A', 'NOERROR, A 10.96.0.5'],
    ['WEB.Shop.svc.cluster.local', 'A', 'NOERROR, A 10.96.0.5'],
    ['web.shop.svc.cluster.local', 'AAAA', 'NOERROR, AAAA fd00::5'],
    ['web.shop.svc.cluster.local', 'MX', 'NOERROR'],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', 'NOERROR, SRV 80 web.shop.svc.cluster.local'],
    ['_http._udp.web.shop.svc.cluster.local', 'SRV', 'NXDOMAIN'],
    ['_tcp.web.shop.svc.cluster.local', 'SRV', 'NOERROR'],
    [
      'web.shop.svc.cluster.local',
      'SRV',
      'NOERROR, SRV 80 web.shop.svc.cluster.local, SRV 9090 web.shop.svc.cluster.local',
    ],
    ['db.shop.svc.cluster.local', 'A', 'NOERROR, A 10.244.0.2, A 10.244.0.3'],
    ['db-0.db.shop.svc.cluster.local', 'A', 'NOERROR, A 10.244.0.2'],
    ['10-244-0-3.db.shop.svc.cluster.local', 'A', 'NOERROR, A 10.244.0.3'],
    ['10-244-0-4.db.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    [
      '_stats._udp.db.shop.svc.cluster.local',
      'SRV',
      'NOERROR, SRV 17090 10-244-0-3.db.shop.svc.cluster.local, SRV 17090 db-0.db.shop.svc.cluster.local',
    ],
    ['empty.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['nobody.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['web.nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['shop.svc.cluster.local', 'A', 'NOERROR'],
    ['nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['svc.cluster.local', 'A', 'NOERROR'],
    ['10-1-2-3.shop.pod.cluster.local', 'A', 'NOERROR, A 10.1.2.3'],
    ['10-1-2-300.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['10-1-2-3.nowhere.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['outside.shop.svc.cluster.local', 'A', 'NOERROR, CNAME www.example.com'],
    ['inside.shop.svc.cluster.local', 'A', 'NOERROR, A 10.96.0.5, CNAME web.shop.svc.cluster.local'],
    [
      'twice.shop.svc.cluster.local',
      'A',
      'NOERROR, A 10.96.0.5, CNAME inside.shop.svc.cluster.local, CNAME web.shop.svc.cluster.local',
    ],
    ['long.shop.svc.cluster.local', 'A', 'NOERROR'],
    ['round.shop.svc.cluster.local', 'A', 'NOERROR, CNAME round.shop.svc.cluster.local'],
    ['web-0.web.shop.svc.cluster.local', 'A', 'NOERROR, A 10.244.0.7'],
    ['web-1.web.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['dns-version.cluster.local', 'TXT', 'NOERROR, TXT 1.1.0'],
    ['5.0.96.10.in-addr.arpa', 'PTR', 'NOERROR, PTR web.shop.svc.cluster.local'],
    [
      '5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa',
      'PTR',
      'NOERROR, PTR web.shop.svc.cluster.local',
    ],
    ['2.0.244.10.in-addr.arpa', 'PTR', 'NOERROR, PTR db-0.db.shop.svc.cluster.local'],
    ['www.example.com', 'A', 'SERVFAIL'],
  ]
  // Twice: what comes from the store of finished answers is the same.
  for (let round = 0; round < 2; round++)
    for (const [name, type, want] of table) assert.equal(await said(name, type), want, `${name} ${type}`)
})

test("a name without the record, and one that is not there, come with the zone's SOA", async (t) => {
  const { ask } = await start(t)
  for (const name of ['web.shop.svc.cluster.local', 'x.shop.svc.cluster.local']) {
    const { authorities, flag_aa } = await ask(name, 'TXT')
    assert.deepEqual([authorities[0]?.type, authorities[0]?.name, flag_aa], ['SOA', 'cluster.local', true])
  }
})

test('SRV answers bring the addresses of their targets', async (t) => {
  const { ask } = await start(t)
  const { additionals } = await ask('_http._tcp.db.shop.svc.cluster.local', 'SRV')
  assert.deepEqual(additionals.map(({ name, data }) => `${name} ${String(data)}`).sort(), [
    '10-244-0-3.db.shop.svc.cluster.local 10.244.0.3',
    'db-0.db.shop.svc.cluster.local 10.244.0.2',
  ])
})

test('addresses take turns at the front', async (t) => {
  const { ask } = await start(t)
  const first = new Set<unknown>()
  for (let i = 0; i < 4; i++) first.add((await ask('db.shop.svc.cluster.local', 'A')).answers[0]?.data)
  assert.deepEqual([...first].sort(), ['10.244.0.2', '10.244.0.3'])
})

test('answers change with the cluster', async (t) => {
  const { client, said } = await start(t)
  assert.equal(await said('new.shop.svc.cluster.local', 'A'), 'NXDOMAIN')
  await client.create(services, {
    metadata: { name: 'new', namespace: 'shop' },
    spec: { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports },
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(await said('new.shop.svc.cluster.local', 'A'), 'NOERROR, A 10.96.0.9')
})

test('what does not fit by UDP is cut off with a mark, and comes whole by TCP', async (t) => {
  const { client, ask } = await start(t)
  await client.create(services, { metadata: { name: 'many', namespace: 'shop' }, spec: { clusterIP: 'None', ports } })
  await client.create(endpointSlices, {
    metadata: { name: 'many', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'many' } },
    addressType: 'IPv4',
    ports: [],
    endpoints: Array.from({ length: 200 }, (_, i) => ({ addresses: [`10.244.5.${i}`], conditions: { ready: true } })),
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  const small = await ask('many.shop.svc.cluster.local', 'A')
  const larger = await ask('many.shop.svc.cluster.local', 'A', { size: 4096 })
  const whole = await ask('many.shop.svc.cluster.local', 'A', { tcp: true })
  assert.deepEqual([small.flag_tc, larger.flag_tc, whole.flag_tc, whole.answers.length], [true, true, false, 200])
  assert.ok(small.answers.length < larger.answers.length && larger.answers.length > 60)
  assert.equal(larger.additionals[0]?.type, 'OPT')
})

/** A resolver that knows one address for every name. */
async function upstream(t: TestContext, answer: (name: string) => object[], flags = 0) {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const query = dnsPacket.decode(message)
    const name = query.questions[0]!.name
    if (name.endsWith('.invalid')) return
    asked.push(name)
    socket.send(
      dnsPacket.encode({ type: 'response', id: query.id, flags, questions: query.questions, answers: answer(name) }),
      from.port,
      from.address,
    )
  })
  await new Promise<void>((resolve) => socket.bind(0, loopback, resolve))
  t.after(() => socket.close())
  return { address: loopback, port: socket.address().port, asked }
}

test('other names are asked of the next resolver, and kept as long as they are good', async (t) => {
  const other = await upstream(t, (name) => [{ name, type: 'A', ttl: 20, data: '93.184.216.34' }])
  const { said, ask } = await start(t, [other])
  assert.equal(await said('www.example.com', 'A'), 'NOERROR, A 93.184.216.34')
  const again = await ask('www.example.com', 'A')
  assert.ok((again.answers[0]?.ttl ?? 0) >= 18)
  assert.equal(await said('outside.shop.svc.cluster.local', 'A'), 'NOERROR, A 93.184.216.34, CNAME www.example.com')
  assert.deepEqual(other.asked, ['www.example.com', 'www.example.com'])
})

test('a resolver that is silent is passed over; one that sends our questions back to us is not asked again', async (t) => {
  const silent = await upstream(t, () => [])
  const good = await upstream(t, (name) => [{ name, type: 'A', ttl: 20, data: '1.1.1.1' }])
  const { port } = await start(t, [good])
  // A resolver that forwards everything to us.
  const loop = createSocket('udp4')
  const back = createSocket('udp4')
  t.after(() => (loop.close(), back.close()))
  let loops = 0
  const second = Promise.withResolvers<number>()
  loop.on('message', (message) => void second.promise.then((target) => (loops++, back.send(message, target, loopback))))
  await new Promise<void>((resolve) => loop.bind(0, loopback, resolve))
  const looped = await start(t, [{ address: loopback, port: loop.address().port }, good])
  second.resolve(looped.port)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const seen = loops
  assert.equal(await looped.said('www.example.com', 'A'), 'NOERROR, A 1.1.1.1')
  assert.equal(loops, seen)
  assert.ok(silent.port !== port)
})

test('a resolver that nobody serves is passed over at once, a silent one is asked last', async (t) => {
  const good = await upstream(t, (name) => [{ name, type: 'A', ttl: 20, data: '1.1.1.1' }])
  // Time stands still: whoever waits for an answer waits for ever.
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const asking = (upstreams: { address: string; port: number }[]) => {
    const forwarder = newForwarder(deps, upstreams)
    t.after(() => forwarder.close())
    return async () => {
      const message = dnsPacket.encode({ type: 'query', id: 7, questions: [{ name: 'a.example.com', type: 'A' }] })
      const query = parseQuery(message)
      assert.ok(typeof query !== 'string')
      const answer = await forwarder.ask(message, query, 'udp')
      return answer && dnsPacket.decode(answer).answers[0]?.data
    }
  }
  const silent = createSocket('udp4')
  await new Promise<void>((resolve) => silent.bind(0, loopback, resolve))
  const { port } = silent.address()
  const ask = asking([{ address: loopback, port }, good])
  const twice = Promise.all([ask(), ask()])
  await clock.advance(2000)
  assert.deepEqual(await twice, ['1.1.1.1', '1.1.1.1'])
  assert.equal(await ask(), '1.1.1.1')
  await new Promise<void>((resolve) => silent.close(resolve))
  assert.equal(await asking([{ address: loopback, port }, good])(), '1.1.1.1')
})

test('no message makes it fail, and each answer is for its question', async () => {
  const zone = new ClusterZone(
    { domain: 'cluster.local', ttl: 30, serial: () => 1 },
    { hasNamespace: () => true, service: () => undefined, slices: () => [], servicesAt: () => [], slicesAt: () => [] },
  )
  const deps = { clock: realClock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const responder = new Responder({
    deps,
    zone,
    ready: () => true,
    forwarder: { ask: async () => undefined, isOwnProbe: () => false, probe: async () => {}, close() {} },
  })
  const valid = dnsPacket.encode({
    type: 'query',
    id: 7,
    questions: [{ name: 'a.b.svc.cluster.local', type: 'SRV' }],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096, options: [] }],
  })
  const damaged = fc
    .tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(valid.length))
    .map(([at, byte, length]) => {
      const copy = Buffer.from(valid.subarray(0, length))
      if (at < copy.length) copy[at] = byte
      return copy
    })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
        damaged,
      ),
      async (message) => {
        const answer = await responder.respond(message, 'udp')
        if (!answer) return
        assert.equal(answer.readUInt16BE(0), message.readUInt16BE(0))
        assert.ok(answer.readUInt16BE(2) & 0x8000)
        dnsPacket.decode(answer)
      },
    ),
    { numRuns: 2000 },
  )
})

test('resolv.conf names up to three resolvers', () => {
  const file =
    '# a comment\nsearch example.com\nnameserver 10.0.0.1\nnameserver  fe80::1%eth0 \nnameserver bad\noptions ndots:5\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n'
  assert.deepEqual(
    parseResolvConf(file).map(({ address }) => address),
    ['10.0.0.1', 'fe80::1%eth0', '10.0.0.2'],
  )
})

test('the DNS Service is made once, with a slice for each server', async () => {
  const deps = { clock: realClock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const { client } = await startTestApi(deps)
  const endpoint = { nodeName: 'node-1', address: '192.168.0.1', port: 10053 }
  await ensureDnsService(client, [endpoint])
  await ensureDnsService(client, [
    { ...endpoint, port: 10054 },
    { ...endpoint, nodeName: 'node-2', address: '192.168.0.2' },
  ])
  assert.equal(
    (await client.get(services, { namespace: 'kube-system', name: 'kube-dns' })).spec?.clusterIP,
    '10.96.0.10',
  )
  const slices = (await client.list(endpointSlices)).items.map(
    (slice) => `${slice.endpoints?.[0]?.addresses[0]}:${slice.ports?.[0]?.port}`,
  )
  assert.deepEqual(slices.sort(), ['192.168.0.1:10054', '192.168.0.2:10053'])
  await removeDnsEndpoint(client, 'node-2')
  await removeDnsEndpoint(client, 'node-2')
  assert.equal((await client.list(endpointSlices)).items.length, 1)
})
