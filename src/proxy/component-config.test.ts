import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationMs, listenOf, readComponentConfig } from './component-config.ts'

const head = { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration' }
const readFile = (content: object) => readComponentConfig(JSON.stringify(content, undefined, 2))

test("a configuration file of upstream's is understood", () => {
  const read = readFile({
    ...head,
    clientConnection: { kubeconfig: '/k' },
    hostnameOverride: 'n',
    clusterCIDR: '10.1.0.0/16,fd00::/56',
    mode: 'nftables',
    nodePortAddresses: ['primary'],
    nftables: { masqueradeAll: true, syncPeriod: '1m30s' },
    healthzBindAddress: '127.0.0.1:9',
    metricsBindAddress: '',
  })
  assert.deepEqual(read, {
    kubeconfig: '/k',
    hostname: 'n',
    config: {
      clusterCidrs: ['10.1.0.0/16', 'fd00::/56'],
      nodePortAddresses: ['primary'],
      masqueradeAll: true,
      syncPeriodMs: 90_000,
    },
    healthListen: { host: '127.0.0.1', port: 9 },
    metricsListen: undefined,
    notes: [],
  })
})

test('a mode that is not there is noted; what is unknown or cannot be read is an error that names it', () => {
  assert.deepEqual(readFile({ ...head, mode: 'iptables' }).notes, [
    'mode iptables is not there; Services are rules of nftables',
  ])
  assert.throws(
    () => readFile({ ...head, clusterCidr: 'x', conntrack: { maxPerCor: 1 } }),
    /strict decoding error: unknown field "clusterCidr" at line 4, column 4; did you mean clusterCIDR\?, unknown field "conntrack.maxPerCor"/,
  )
  assert.throws(
    () =>
      readComponentConfig(
        'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\nmode: iptables\n',
      ),
    /line 4: key "mode" already set in map/,
  )
  assert.throws(
    () => readFile({ ...head, kind: 'KubeletConfiguration' }),
    /kind is "KubeletConfiguration": it must be KubeProxyConfiguration/,
  )
  assert.throws(() => readFile({ ...head, nftables: { syncPeriod: 'soon' } }), /no duration/)
  assert.throws(() => readFile({ ...head, nftables: { masqueradeBit: 32 } }), /masqueradeBit is 32/)
  assert.throws(() => readFile({ ...head, clusterCIDR: '10.0.0.0/8,10.0.0.0/33' }), /clusterCIDR has "10.0.0.0\/33"/)
  assert.throws(() => readFile({ ...head, nodePortAddresses: ['primary', '::1'] }), /nodePortAddresses has "::1"/)
})

test('addresses and durations', () => {
  assert.deepEqual(
    [listenOf('[::]:80', 1), listenOf('0.0.0.0', 1), listenOf(':80', 1), listenOf(undefined, 1)],
    [{ host: '::', port: 80 }, { host: '0.0.0.0', port: 1 }, { host: '0.0.0.0', port: 80 }, undefined],
  )
  assert.deepEqual(['0', '500ms', '1h', '0s', undefined].map(durationMs), [0, 500, 3_600_000, 0, undefined])
})
