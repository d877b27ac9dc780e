import assert from 'node:assert/strict'
import test from 'node:test'
import { aPod } from '../testing/pods.ts'
import { parseResolvConf, podDns } from './pod-dns.ts'
import { hostsText, kernelHostname, podHostname } from './pod-hosts.ts'

const host = { servers: ['1.1.1.1'], searches: ['corp.example'], options: ['timeout:2'] }
const sources = { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', host }
const cluster = {
  servers: ['10.96.0.10'],
  searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
  options: ['ndots:5'],
}

for (const [name, spec, want] of [
  ['ClusterFirst', { dnsPolicy: 'ClusterFirst' }, cluster],
  ['ClusterFirst on the host network', { dnsPolicy: 'ClusterFirst', hostNetwork: true }, host],
  ['ClusterFirstWithHostNet', { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }, cluster],
  ['Default', { dnsPolicy: 'Default' }, host],
  [
    'None',
    { dnsPolicy: 'None', dnsConfig: { nameservers: ['9.9.9.9'], searches: ['a'], options: [{ name: 'debug' }] } },
    { servers: ['9.9.9.9'], searches: ['a'], options: ['debug'] },
  ],
  [
    'ClusterFirst with more',
    { dnsConfig: { nameservers: ['9.9.9.9'], options: [{ name: 'ndots', value: '2' }] } },
    { ...cluster, servers: ['10.96.0.10', '9.9.9.9'], options: ['ndots:2'] },
  ],
] as const) {
  test(`DNS ${name}`, () =>
    assert.deepEqual(podDns(aPod(spec as Parameters<typeof aPod>[0]), sources), { resolver: want, fallsBack: false }))
}

test('without a cluster DNS, the node resolves, and that is said', () => {
  assert.deepEqual(podDns(aPod(), { ...sources, clusterDns: [] }), { resolver: host, fallsBack: true })
})

test('no more than the C library takes', () => {
  const { resolver } = podDns(
    aPod({ dnsConfig: { nameservers: ['1', '2', '3', '4'], searches: Array.from({ length: 40 }, (_, i) => `d${i}`) } }),
    sources,
  )
  assert.deepEqual([resolver.servers.length, resolver.searches.length], [3, 32])
})

test('a resolv.conf is read', () => {
  assert.deepEqual(
    parseResolvConf(
      '# x\nnameserver 1.1.1.1\nnameserver ::1 # second\nsearch a. b\nsearch c\noptions ndots:1 rotate\n',
    ),
    { servers: ['1.1.1.1', '::1'], searches: ['c'], options: ['ndots:1', 'rotate'] },
  )
})

for (const [name, spec, metadata, want] of [
  ['its name', {}, { name: 'web' }, ['web', '']],
  ['its name, cut', {}, { name: `${'a'.repeat(62)}.b` }, ['a'.repeat(62), '']],
  [
    'its hostname and subdomain',
    { hostname: 'h', subdomain: 's' },
    { name: 'web' },
    ['h', 's.default.svc.cluster.local'],
  ],
] as const) {
  test(`a pod is called by ${name}`, () => {
    const { hostname, domain } = podHostname(aPod(spec, { namespace: 'default', ...metadata }), 'cluster.local')
    assert.deepEqual([hostname, domain], want)
  })
}

test('a full name that the kernel does not take is refused', () => {
  const pod = aPod({ hostname: 'h'.repeat(60), subdomain: 's', setHostnameAsFQDN: true })
  assert.throws(() => kernelHostname(pod, podHostname(pod, 'cluster.local')), /is too long \(64 characters is the max/)
})

test("a pod's hosts file has its name and its aliases", () => {
  const pod = aPod({ hostname: 'h', subdomain: 's', hostAliases: [{ ip: '9.9.9.9', hostnames: ['a', 'b'] }] })
  const text = hostsText(pod, podHostname(pod, 'c'), ['10.0.0.1'], '')
  assert.ok(text.startsWith('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n'))
  assert.ok(text.includes('\n10.0.0.1\th.s.default.svc.c\th\n'))
  assert.ok(text.endsWith('\n# Entries added by HostAliases.\n9.9.9.9\ta\tb\n'))
})

test("a pod on the host's network has the host's file", () => {
  assert.equal(
    hostsText(aPod({ hostNetwork: true }), { hostname: 'h', domain: '' }, [], '127.0.0.1 localhost\n'),
    '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n',
  )
})
