import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { endpointSlices, nodes, serviceCIDRs, services } from '../api/generated/resources.ts'
import type { Endpoint, EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import type { LoadBalancerIngress, Service, ServiceSpec } from '../api/generated/types/core-v1.ts'
import { VirtualClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { seededRandom } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { memoryNft } from '../nftables/memory/memory.ts'
import type { Packet } from '../nftables/memory/packet.ts'
import { startTestApi } from '../../test/api.ts'
import type { ProxyConfig } from './config.ts'
import { removeProxyRules, startProxy } from './proxy.ts'

const nodeIp = '192.168.0.1'
const table = { family: 'ip', name: 'kubernode-proxy' } as const

async function start(t: TestContext, config: Partial<ProxyConfig> = {}, serviceHealthHost = '') {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const deps = { clock, random, log: silentLogger, metrics: new Metrics() }
  const api = await startTestApi(deps, { serviceClusterIpRange: '10.96.0.0/12,fd00:96::/112' })
  const { client } = api
  const nft = memoryNft()
  await client.create(nodes, {
    metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'a' } },
    status: { addresses: [{ type: 'InternalIP', address: nodeIp }] },
  })
  const ran: string[] = []
  const run = async ({ file, args }: { file: string; args: readonly string[] }) => {
    ran.push([file, ...args].join(' '))
    const stdout =
      args[0] === '-L'
        ? 'udp      17 29 src=10.244.0.9 dst=10.96.5.1 sport=4242 dport=53 src=10.244.1.66 dst=10.244.0.9 sport=5353 dport=4242 mark=0 use=1\n'
        : ''
    return { stdout, stderr: '' }
  }
  const proxy = await startProxy({
    ...deps,
    client,
    nodeName: 'node-1',
    nft,
    run,
    config,
    followServiceCidrs: true,
    serviceHealthHost,
  })
  t.after(async () => {
    await proxy.close()
    await api.close()
  })
  await clock.advance(1000)
  const send = (to: Partial<Packet> & { destination: string }, origin: 'outside' | 'local' = 'outside') =>
    nft.send(
      {
        source: '10.244.0.9',
        protocol: 'tcp',
        destinationPort: 80,
        isLocal: (address) => address === nodeIp || address.startsWith('127.'),
        random: random.number,
        ...to,
      },
      origin,
    )
  return { clock, client, nft, proxy, send, ran, metrics: deps.metrics, settle: () => clock.advance(5000) }
}

const service = (name: string, spec: ServiceSpec): Service => ({
  metadata: { name, namespace: 'default' },
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.96.5.1',
    clusterIPs: ['10.96.5.1'],
    ports: [{ port: 80, protocol: 'TCP' }],
    ...spec,
  },
})

/** A Service with its load balancer's addresses, which are status and so come second. */
async function createBalanced(client: Client, wanted: Service, ingress: LoadBalancerIngress[]): Promise<void> {
  const created = await client.create(services, wanted)
  await client.updateStatus(services, { ...created, status: { loadBalancer: { ingress } } })
}

const endpoint = (address: string, more: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [address],
  nodeName: 'node-2',
  conditions: { ready: true },
  ...more,
})
const here = { nodeName: 'node-1' }

const slice = (of: string, endpoints: Endpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  endpoints,
  ...more,
})

test('connections to a ClusterIP go to every ready endpoint, in equal shares', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(services, service('web', {}))
  await client.create(
    endpointSlices,
    slice('web', [
      endpoint('10.244.1.1'),
      endpoint('10.244.1.2'),
      endpoint('10.244.1.3'),
      endpoint('10.244.1.4', { conditions: { ready: false } }),
    ]),
  )
  await settle()
  const counts = new Map<string, number>()
  for (let i = 0; i < 3000; i++) {
    const { destination, destinationPort, verdict, masqueraded } = send({ destination: '10.96.5.1' })
    assert.deepEqual([destinationPort, verdict, masqueraded], [8080, 'accept', false])
    counts.set(destination, (counts.get(destination) ?? 0) + 1)
  }
  assert.deepEqual([...counts.keys()].sort(), ['10.244.1.1', '10.244.1.2', '10.244.1.3'])
  for (const count of counts.values()) assert.ok(count > 900 && count < 1100, `${count} of 3000`)
})

test('forty endpoints are drawn by a map', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(services, service('web', {}))
  await client.create(
    endpointSlices,
    slice(
      'web',
      Array.from({ length: 40 }, (_, i) => endpoint(`10.244.1.${i + 1}`)),
    ),
  )
  await settle()
  assert.equal(new Set(Array.from({ length: 1000 }, () => send({ destination: '10.96.5.1' }).destination)).size, 40)
})

test('without endpoints a Service refuses, and so do other ports and addresses of the Service range', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(
    services,
    service('web', {
      ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }],
      type: 'NodePort',
      externalIPs: ['1.2.3.4'],
    }),
  )
  await settle()
  for (const destination of ['10.96.5.1', '10.111.1.1', '1.2.3.4'])
    assert.equal(send({ destination }).verdict, 'reject', destination)
  assert.equal(send({ destination: nodeIp, destinationPort: 30080 }).verdict, 'reject')
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await settle()
  for (const destination of ['10.96.5.1', '1.2.3.4']) assert.equal(send({ destination }).destination, '10.244.1.1')
  assert.equal(send({ destination: '10.96.5.1', destinationPort: 81 }).verdict, 'reject')
  assert.equal(send({ destination: '10.96.5.1', protocol: 'udp' }).verdict, 'reject')
  assert.equal(send({ destination: '9.9.9.9' }).translated, false)
})

test('a range of Services that is added is theirs, and no longer when it goes', async (t) => {
  const { client, send, settle } = await start(t)
  const verdict = async () => {
    await settle()
    return send({ destination: '10.200.1.1' }).verdict
  }
  assert.equal(await verdict(), 'accept')
  await client.create(serviceCIDRs, { metadata: { name: 'more' }, spec: { cidrs: ['10.200.0.0/16'] } })
  assert.equal(await verdict(), 'reject')
  assert.equal(send({ destination: '10.111.1.1' }).verdict, 'reject')
  await client.delete(serviceCIDRs, { name: 'more' })
  assert.equal(await verdict(), 'accept')
})

test('a pod that reaches itself, and whoever is outside of the cluster, are masqueraded', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(services, service('web', {}))
  await client.create(endpointSlices, slice('web', [endpoint('10.244.0.9')]))
  await settle()
  assert.equal(send({ destination: '10.96.5.1' }).masqueraded, true)
  assert.equal(send({ destination: '10.96.5.1', source: '10.244.0.8' }).masqueraded, false)
  assert.equal(send({ destination: '10.96.5.1', source: '192.168.0.77' }).masqueraded, true)
  assert.equal(send({ destination: '10.96.5.1', source: nodeIp }, 'local').masqueraded, true)
})

for (const label of ['service.kubernetes.io/headless', 'service.kubernetes.io/service-proxy-name']) {
  test(`a Service with the label ${label} is left alone, as long as it has it`, async (t) => {
    const { client, send, settle } = await start(t)
    await client.create(services, service('web', {}))
    await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
    const set = async (labels: Record<string, string | null>) => {
      await client.patch(services, { namespace: 'default', name: 'web' }, { metadata: { labels } }, { type: 'merge' })
      await settle()
      return send({ destination: '10.96.5.1' }).verdict
    }
    assert.equal(await set({ [label]: '' }), 'reject')
    assert.equal(await set({ [label]: null }), 'accept')
  })
}

test('a NodePort answers on every address of the node but loopback', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(
    services,
    service('web', { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }] }),
  )
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await settle()
  assert.deepEqual(send({ destination: nodeIp, destinationPort: 30080, source: '192.168.0.77' }), {
    verdict: 'accept',
    destination: '10.244.1.1',
    destinationPort: 8080,
    masqueraded: true,
    translated: true,
  })
  assert.equal(send({ destination: nodeIp, destinationPort: 30080, source: nodeIp }, 'local').destination, '10.244.1.1')
  assert.equal(send({ destination: '127.0.0.1', destinationPort: 30080 }, 'local').translated, false)
  assert.equal(send({ destination: '192.168.0.2', destinationPort: 30080 }).translated, false)
})

test('external traffic policy Local keeps the source and stays on the node, but pods and the node itself reach every endpoint', async (t) => {
  const { client, send, settle } = await start(t)
  const spec: ServiceSpec = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }],
  }
  await createBalanced(client, service('web', spec), [{ ip: '5.5.5.5', ipMode: 'VIP' }])
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await settle()
  assert.equal(send({ destination: '5.5.5.5', source: '8.8.8.8' }).verdict, 'drop')
  assert.equal(send({ destination: nodeIp, destinationPort: 30080, source: '8.8.8.8' }).verdict, 'drop')
  assert.equal(send({ destination: '5.5.5.5' }).destination, '10.244.1.1')
  assert.equal(send({ destination: '5.5.5.5', source: nodeIp }, 'local').masqueraded, true)
  await client.update(endpointSlices, slice('web', [endpoint('10.244.1.1'), endpoint('10.244.0.2', here)]))
  await settle()
  for (let i = 0; i < 20; i++)
    assert.deepEqual(send({ destination: '5.5.5.5', source: '8.8.8.8' }), {
      verdict: 'accept',
      destination: '10.244.0.2',
      destinationPort: 8080,
      masqueraded: false,
      translated: true,
    })
})

test('internal traffic policy Local drops where the node has no endpoint', async (t) => {
  const { client, send, settle, metrics } = await start(t)
  await client.create(services, service('web', { internalTrafficPolicy: 'Local' }))
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await settle()
  assert.equal(send({ destination: '10.96.5.1' }).verdict, 'drop')
  assert.match(metrics.text(), /no_local_endpoints_total\{traffic_policy="internal",ip_family="IPv4"\} 1/)
  await client.update(endpointSlices, slice('web', [endpoint('10.244.1.1'), endpoint('10.244.0.2', here)]))
  await settle()
  assert.equal(send({ destination: '10.96.5.1' }).destination, '10.244.0.2')
})

test('endpoints that end but still serve are used when no other is ready', async (t) => {
  const { client, send, settle } = await start(t)
  const ending = endpoint('10.244.1.9', { conditions: { ready: false, serving: true, terminating: true } })
  await client.create(services, service('web', {}))
  await client.create(endpointSlices, slice('web', [ending, endpoint('10.244.1.1')]))
  await settle()
  for (let i = 0; i < 20; i++) assert.equal(send({ destination: '10.96.5.1' }).destination, '10.244.1.1')
  await client.update(endpointSlices, slice('web', [ending]))
  await settle()
  assert.equal(send({ destination: '10.96.5.1' }).destination, '10.244.1.9')
})

test('hints keep traffic near: on the node, in the zone, else anywhere', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(services, service('web', {}))
  const reached = async (...endpoints: Endpoint[]) => {
    await client.delete(endpointSlices, { namespace: 'default', name: 'web-1' }).catch(() => {})
    await client.create(endpointSlices, slice('web', endpoints))
    await settle()
    return [...new Set(Array.from({ length: 50 }, () => send({ destination: '10.96.5.1' }).destination))].sort()
  }
  const zone = (name: string) => ({ hints: { forZones: [{ name }] } })
  const both = (name: string, node: string) => ({ hints: { forZones: [{ name }], forNodes: [{ name: node }] } })
  assert.deepEqual(await reached(endpoint('10.244.1.1', zone('a')), endpoint('10.244.1.2', zone('b'))), ['10.244.1.1'])
  assert.deepEqual(await reached(endpoint('10.244.1.1', zone('a')), endpoint('10.244.1.2')), [
    '10.244.1.1',
    '10.244.1.2',
  ])
  assert.deepEqual(await reached(endpoint('10.244.1.1', zone('c')), endpoint('10.244.1.2', zone('b'))), [
    '10.244.1.1',
    '10.244.1.2',
  ])
  assert.deepEqual(
    await reached(endpoint('10.244.1.1', both('a', 'node-2')), endpoint('10.244.1.2', both('a', 'node-1'))),
    ['10.244.1.2'],
  )
})

test('a client stays with its endpoint under session affinity', async (t) => {
  const { client, send, settle, nft } = await start(t)
  await client.create(
    services,
    service('web', { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }),
  )
  await client.create(
    endpointSlices,
    slice(
      'web',
      ['10.244.1.1', '10.244.1.2', '10.244.1.3'].map((address) => endpoint(address)),
    ),
  )
  await settle()
  const first = send({ destination: '10.96.5.1' }).destination
  for (let i = 0; i < 50; i++) assert.equal(send({ destination: '10.96.5.1' }).destination, first)
  assert.equal(
    new Set(
      Array.from({ length: 100 }, (_, i) => send({ destination: '10.96.5.1', source: `10.244.7.${i}` }).destination),
    ).size,
    3,
  )
  const timeouts = [...((await nft.outline(table))?.sets ?? [])]
    .filter(([name]) => name.startsWith('affinity-'))
    .map(([, spec]) => spec.timeoutSeconds)
  assert.deepEqual(timeouts, [60, 60, 60])
})

test('source ranges keep others from the load balancer address, not from the NodePort', async (t) => {
  const { client, send, settle } = await start(t)
  const spec: ServiceSpec = {
    type: 'LoadBalancer',
    loadBalancerSourceRanges: ['7.0.0.0/8'],
    ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }],
  }
  await createBalanced(client, service('web', spec), [
    { ip: '5.5.5.5', ipMode: 'VIP' },
    { ip: '6.6.6.6', ipMode: 'Proxy' },
  ])
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await settle()
  assert.equal(send({ destination: '5.5.5.5', source: '8.8.8.8' }).verdict, 'drop')
  assert.equal(send({ destination: '5.5.5.5', source: '7.8.8.8' }).destination, '10.244.1.1')
  assert.equal(send({ destination: '6.6.6.6', source: '7.8.8.8' }).translated, false)
  assert.equal(send({ destination: nodeIp, destinationPort: 30080, source: '8.8.8.8' }).destination, '10.244.1.1')
})

test('ports are told apart by name and protocol', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(
    services,
    service('dns', {
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        { name: 'sctp', port: 99, protocol: 'SCTP' },
      ],
    }),
  )
  await client.create(
    endpointSlices,
    slice('dns', [endpoint('10.244.1.1')], {
      ports: [
        { name: 'dns', port: 5353, protocol: 'UDP' },
        { name: 'dns-tcp', port: 5354, protocol: 'TCP' },
        { name: 'sctp', port: 9999, protocol: 'SCTP' },
      ],
    }),
  )
  await settle()
  assert.equal(send({ destination: '10.96.5.1', destinationPort: 53, protocol: 'udp' }).destinationPort, 5353)
  assert.equal(send({ destination: '10.96.5.1', destinationPort: 53 }).destinationPort, 5354)
  assert.equal(send({ destination: '10.96.5.1', destinationPort: 99, protocol: 'sctp' }).destinationPort, 9999)
})

test("an external address that two Services claim is the first one's, and goes to the other with its end", async (t) => {
  const { client, send, settle } = await start(t)
  for (const [name, clusterIP, address] of [
    ['a', '10.96.5.1', '10.244.1.1'],
    ['b', '10.96.5.2', '10.244.1.2'],
  ] as const) {
    await client.create(services, service(name, { clusterIP, clusterIPs: [clusterIP], externalIPs: ['1.2.3.4'] }))
    await client.create(endpointSlices, slice(name, [endpoint(address)]))
  }
  await settle()
  assert.equal(send({ destination: '1.2.3.4' }).destination, '10.244.1.1')
  await client.delete(services, { namespace: 'default', name: 'a' })
  await settle()
  assert.equal(send({ destination: '1.2.3.4' }).destination, '10.244.1.2')
})

test('stale UDP flows are forgotten when endpoints change', async (t) => {
  const { client, settle, ran } = await start(t)
  await client.create(services, service('dns', { ports: [{ port: 53, protocol: 'UDP' }] }))
  await client.create(
    endpointSlices,
    slice('dns', [endpoint('10.244.1.1')], { ports: [{ name: '', port: 5353, protocol: 'UDP' }] }),
  )
  await settle()
  assert.ok(
    ran.includes(
      'conntrack -D -f ipv4 -p udp --orig-dst 10.96.5.1 --orig-port-dst 53 --reply-src 10.244.1.66 --reply-port-src 5353',
    ),
    ran.join('\n'),
  )
})

test('an address may serve one port name under two numbers', async (t) => {
  const { client, send, settle } = await start(t)
  await client.create(services, service('web', {}))
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await client.create(
    endpointSlices,
    slice('web', [endpoint('10.244.1.1')], {
      metadata: { name: 'web-2', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      ports: [{ name: '', port: 8081, protocol: 'TCP' }],
    }),
  )
  await settle()
  const reached = new Set(Array.from({ length: 50 }, () => send({ destination: '10.96.5.1' }).destinationPort))
  assert.deepEqual([...reached].sort(), [8080, 8081])
})

test('another time of affinity is taken without a refusal', async (t) => {
  const { client, nft, settle, metrics } = await start(t)
  const sticky = (timeoutSeconds: number): ServiceSpec => ({
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds } },
  })
  await client.create(services, service('web', sticky(60)))
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1'), endpoint('10.244.1.2')]))
  await settle()
  await client.patch(services, { namespace: 'default', name: 'web' }, { spec: sticky(90) }, { type: 'merge' })
  await settle()
  const timeouts = [...((await nft.outline(table))?.sets ?? [])]
    .filter(([name]) => name.startsWith('affinity-'))
    .map(([, spec]) => spec.timeoutSeconds)
  assert.deepEqual(timeouts, [90, 90])
  assert.ok(!/sync_failures_total\{[^}]*\} [1-9]/.test(metrics.text()))
})

test('stale UDP flows are forgotten when a Service comes to answer where it did not', async (t) => {
  const { client, ran, settle } = await start(t)
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP' }]
  await client.create(services, service('dns', { ports: [{ ...ports[0]!, port: 54 }] }))
  await client.create(
    endpointSlices,
    slice('dns', [endpoint('10.244.1.1')], { ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }] }),
  )
  await settle()
  ran.length = 0
  await client.patch(services, { namespace: 'default', name: 'dns' }, { spec: { ports } }, { type: 'merge' })
  await settle()
  assert.match(ran.join('\n'), /-D .* --orig-dst 10\.96\.5\.1 --orig-port-dst 53/)
})

test('one address in two ways of writing is one address', async (t) => {
  const { client, settle, metrics, nft } = await start(t, {
    families: ['ip', 'ip6'],
    serviceCidrs: ['10.96.0.0/12', 'fd00:96::/112'],
  })
  for (const [name, address, clusterIP] of [
    ['a', 'FD05:0::5', 'fd00:96::5'],
    ['b', 'fd05::5', 'fd00:96::6'],
  ] as const) {
    await client.create(
      services,
      service(name, { clusterIP, clusterIPs: [clusterIP], ipFamilies: ['IPv6'], externalIPs: [address] }),
    )
    await client.create(endpointSlices, slice(name, [endpoint('fd00:244::1')], { addressType: 'IPv6' }))
  }
  await settle()
  assert.deepEqual((await nft.elements({ ...table, family: 'ip6' }, 'service-ips')).map(({ key }) => key).sort(), [
    'fd00:96::5 . tcp . 80',
    'fd00:96::6 . tcp . 80',
    'fd05::5 . tcp . 80',
  ])
  assert.ok(!/sync_failures_total\{[^}]*\} [1-9]/.test(metrics.text()))
})

test('a health check node port counts the addresses on this node that are ready, of whichever port', async (t) => {
  const { client, settle } = await start(t, {}, '127.0.0.1')
  const ports = ['http', 'stats'].map((name, i) => ({ name, port: 80 + i, protocol: 'TCP' }))
  const { spec } = await client.create(
    services,
    service('web', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports }),
  )
  const check = async () => {
    await settle()
    const answer = await fetch(`http://127.0.0.1:${spec?.healthCheckNodePort}/`)
    return [answer.status, ((await answer.json()) as { localEndpoints: number }).localEndpoints]
  }
  await client.create(
    endpointSlices,
    slice('web', [endpoint('10.244.1.1')], { ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] }),
  )
  assert.deepEqual(await check(), [503, 0])
  const unready = endpoint('10.244.0.3', { ...here, conditions: { ready: false } })
  await client.create(endpointSlices, {
    ...slice('web', [endpoint('10.244.0.2', here), unready]),
    metadata: { name: 'web-2', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    ports: [{ name: 'stats', port: 9090, protocol: 'TCP' }],
  })
  assert.deepEqual(await check(), [200, 1])
})

test('rules that somebody flushed come back', async (t) => {
  const { client, send, settle, nft, clock } = await start(t)
  await client.create(services, service('web', {}))
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await settle()
  await nft.apply([{ do: 'delete table', table }])
  assert.equal(send({ destination: '10.96.5.1' }).translated, false)
  await clock.advance(31_000)
  assert.equal(send({ destination: '10.96.5.1' }).destination, '10.244.1.1')
})

test('a new proxy takes over the rules of the last one; removing leaves nothing', async (t) => {
  const { client, send, settle, nft, proxy, clock } = await start(t)
  await client.create(services, service('web', { sessionAffinity: 'ClientIP' }))
  await client.create(services, service('gone', { clusterIP: '10.96.5.2', clusterIPs: ['10.96.5.2'] }))
  await client.create(
    endpointSlices,
    slice('web', [endpoint('10.244.1.1'), endpoint('10.244.1.2'), endpoint('10.244.1.3')]),
  )
  await client.create(endpointSlices, slice('gone', [endpoint('10.244.1.7')]))
  await settle()
  const first = send({ destination: '10.96.5.1' }).destination
  await proxy.close()
  assert.equal(send({ destination: '10.96.5.1' }).destination, first)
  await client.delete(services, { namespace: 'default', name: 'gone' })
  const deps = { clock, random: seededRandom(3), log: silentLogger, metrics: new Metrics() }
  const second = await startProxy({ ...deps, client, nodeName: 'node-1', nft, serviceHealthHost: '' })
  await clock.advance(5000)
  await second.synced
  assert.equal(send({ destination: '10.96.5.2' }).verdict, 'reject')
  for (let i = 0; i < 20; i++) assert.equal(send({ destination: '10.96.5.1' }).destination, first, 'affinity survives')
  await second.close()
  await removeProxyRules(nft)
  assert.deepEqual(await nft.tables(), [])
})

test('both families have their own rules', async (t) => {
  const { client, send, settle } = await start(t, {
    families: ['ip', 'ip6'],
    serviceCidrs: ['10.96.0.0/12', 'fd00:96::/112'],
    clusterCidrs: ['10.244.0.0/16', 'fd00:244::/56'],
  })
  await client.create(
    services,
    service('web', {
      clusterIPs: ['10.96.5.1', 'fd00:96::51'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
    }),
  )
  await client.create(endpointSlices, slice('web', [endpoint('10.244.1.1')]))
  await client.create(endpointSlices, {
    ...slice('web', [endpoint('fd00:244::7')]),
    metadata: { name: 'web-6', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv6',
  })
  await settle()
  assert.equal(send({ destination: '10.96.5.1' }).destination, '10.244.1.1')
  assert.equal(send({ destination: 'fd00:96::51', source: 'fd00:244::9' }).destination, 'fd00:244::7')
  assert.equal(send({ destination: 'fd00:96::52', source: 'fd00:244::9' }).verdict, 'reject')
})

test('whatever happened before, the rules are those of a fresh start', async (t) => {
  const spec = fc.record({
    port: fc.integer({ min: 80, max: 81 }),
    nodePort: fc.constantFrom(0, 30080),
    externalIPs: fc.constantFrom<string[]>([], ['1.2.3.4']),
    externalLocal: fc.boolean(),
    internalLocal: fc.boolean(),
    sticky: fc.boolean(),
    endpoints: fc.uniqueArray(
      fc.record({
        last: fc.integer({ min: 1, max: 5 }),
        here: fc.boolean(),
        state: fc.constantFrom('ready', 'ending', 'unready'),
      }),
      { selector: ({ last }) => last, maxLength: 4 },
    ),
  })
  const step = fc.record({ name: fc.constantFrom('a', 'b'), spec: fc.option(spec) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      const { client, settle, nft, clock, proxy } = await start(t)
      for (const { name, spec: wanted } of steps) {
        const key = { namespace: 'default', name }
        if (!wanted) {
          await client.delete(services, key).catch(() => {})
        } else {
          const clusterIP = name === 'a' ? '10.96.5.1' : '10.96.5.2'
          const made = service(name, {
            clusterIP,
            clusterIPs: [clusterIP],
            type: 'NodePort',
            ports: [
              {
                port: wanted.port,
                protocol: 'TCP',
                ...(wanted.nodePort && name === 'a' && { nodePort: wanted.nodePort }),
              },
            ],
            externalIPs: wanted.externalIPs,
            externalTrafficPolicy: wanted.externalLocal ? 'Local' : 'Cluster',
            internalTrafficPolicy: wanted.internalLocal ? 'Local' : 'Cluster',
            sessionAffinity: wanted.sticky ? 'ClientIP' : 'None',
          })
          const conditions = {
            ready: { ready: true },
            ending: { ready: false, serving: true, terminating: true },
            unready: { ready: false },
          }
          const endpoints = slice(
            name,
            wanted.endpoints.map(({ last, here: local, state }) =>
              endpoint(`10.244.1.${last}`, { conditions: conditions[state], ...(local && here) }),
            ),
          )
          await client.create(services, made).catch(() => client.update(services, made))
          await client.create(endpointSlices, endpoints).catch(() => client.update(endpointSlices, endpoints))
        }
        await clock.advance(200)
      }
      await settle()
      const fresh = memoryNft()
      const second = await startProxy({
        clock,
        random: seededRandom(3),
        log: silentLogger,
        metrics: new Metrics(),
        client,
        nodeName: 'node-1',
        nft: fresh,
        serviceHealthHost: '',
      })
      await clock.advance(1000)
      assert.deepEqual(await dump(nft), await dump(fresh))
      await Promise.all([proxy.close(), second.close()])
    }),
    { numRuns: 60 },
  )
})

/** All of a table, in an order that does not depend on its history. */
async function dump(nft: ReturnType<typeof memoryNft>) {
  const outline = await nft.outline(table)
  const chains = await Promise.all(
    [...(outline?.chains.keys() ?? [])].sort().map(async (name) => [name, nft.rules(table, name)]),
  )
  const sets = await Promise.all(
    [...(outline?.sets.keys() ?? [])]
      .sort()
      .map(async (name) => [name, (await nft.elements(table, name)).sort((a, b) => (a.key < b.key ? -1 : 1))]),
  )
  return { chains, sets }
}
