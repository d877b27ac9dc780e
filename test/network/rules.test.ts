import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointSlices, services } from '../../src/api/generated/resources.ts'
import { realClock } from '../../src/base/clock.ts'
import { runCommand } from '../../src/base/command.ts'
import { silentLogger } from '../../src/base/log.ts'
import { Metrics } from '../../src/base/metrics.ts'
import { realRandom } from '../../src/base/random.ts'
import { memoryNft } from '../../src/nftables/memory/memory.ts'
import { realNft } from '../../src/nftables/real.ts'
import { namespacesMissing, testNamespace } from '../../src/nftables/test-namespace.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { startTestApi } from '../api.ts'

test(
  'the kernel takes every kind of rule, in both families, and holds what the model holds',
  { skip: namespacesMissing, timeout: 60_000 },
  async (t) => {
    const namespace = await testNamespace(t)
    const deps = { clock: realClock, random: realRandom, log: silentLogger, metrics: new Metrics() }
    const api = await startTestApi(deps, { serviceClusterIpRange: '10.96.0.0/12,fd00:96::/112' })
    t.after(() => api.close())
    const ports = [
      { name: 'tcp', port: 80, protocol: 'TCP' },
      { name: 'udp', port: 80, protocol: 'UDP' },
      { name: 'sctp', port: 81, protocol: 'SCTP' },
    ]
    const dual = { ports, ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] }
    for (const [name, spec] of Object.entries({
      plain: {},
      many: {},
      sticky: { sessionAffinity: 'ClientIP' },
      'sticky-many': { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
      external: { type: 'NodePort', externalTrafficPolicy: 'Local', externalIPs: ['1.2.3.4', 'fd01::4'] },
      internal: { internalTrafficPolicy: 'Local' },
      balanced: { type: 'LoadBalancer', loadBalancerSourceRanges: ['7.0.0.0/8', '192.168.0.0/16', 'fd02::/16'] },
      empty: { type: 'NodePort' },
    })) {
      const created = await api.client.create(services, {
        metadata: { name, namespace: 'default' },
        spec: { ...dual, ...spec },
      })
      const ingress = [{ ip: '5.5.5.5' }, { ip: 'fd05::5' }]
      if (name === 'balanced')
        await api.client.updateStatus(services, { ...created, status: { loadBalancer: { ingress } } })
      const count = name.endsWith('many') ? 30 : name === 'empty' ? 0 : 2
      for (const [addressType, prefix] of [
        ['IPv4', '10.244.1.'],
        ['IPv6', 'fd00:244::'],
      ] as const) {
        await api.client.create(endpointSlices, {
          metadata: {
            name: `${name}-${addressType.toLowerCase()}`,
            namespace: 'default',
            labels: { 'kubernetes.io/service-name': name },
          },
          addressType,
          ports: ports.map((port) => ({ ...port, port: port.port + 8000 })),
          endpoints: Array.from({ length: count }, (_, i) => ({
            addresses: [`${prefix}${i + 1}`],
            nodeName: 'node-1',
            conditions: { ready: true },
          })),
        })
      }
    }
    const config = {
      families: ['ip', 'ip6'] as const,
      clusterCidrs: ['10.244.0.0/16', 'fd00:244::/56'],
      serviceCidrs: ['10.96.0.0/12', 'fd00:96::/112'],
      nodePortAddresses: ['192.168.0.0/16', '192.168.1.0/24', 'fd03::/16'],
    }
    const real = realNft({ run: runCommand, namespacePath: namespace.path })
    const model = memoryNft()
    for (const nft of [real, model]) {
      const options = {
        ...deps,
        client: api.client,
        nodeName: 'node-1',
        nft,
        run: namespace.run,
        config,
        serviceHealthHost: '',
      }
      // Twice: the second one takes over what the first one left.
      for (let round = 0; round < 2; round++) {
        const proxy = await startProxy(options)
        await proxy.synced
        await proxy.close()
      }
    }
    for (const family of config.families) {
      const table = { family, name: 'kubernode-proxy' }
      const [inKernel, inModel] = [await real.outline(table), await model.outline(table)]
      assert.deepEqual([...(inKernel?.chains.keys() ?? [])].sort(), [...(inModel?.chains.keys() ?? [])].sort())
      assert.deepEqual([...(inKernel?.sets.keys() ?? [])].sort(), [...(inModel?.sets.keys() ?? [])].sort())
      // In one listing: a call for each chain takes long.
      const { nftables } = JSON.parse(await namespace.sh(`nft -j list table ${family} kubernode-proxy`)) as {
        nftables: { rule?: { chain: string } }[]
      }
      const counts = Object.groupBy(nftables, ({ rule }) => rule?.chain ?? '')
      for (const chain of inModel?.chains.keys() ?? [])
        assert.equal(counts[chain]?.length ?? 0, await model.ruleCount(table, chain), chain)
      for (const set of inModel?.sets.keys() ?? [])
        assert.equal((await real.elements(table, set)).length, (await model.elements(table, set)).length, set)
    }
  },
)
