import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointSlices } from '../../src/api/generated/resources.ts'
import { runCommand } from '../../src/base/command.ts'
import { removeNodeNetwork } from '../../src/network/node-network.ts'
import { namespacesMissing } from '../../src/nftables/test-namespace.ts'
import { removeProxyRules } from '../../src/proxy/proxy.ts'
import { ask, expose, settled, startLab, until } from './lab.ts'
import type { LabNode } from './lab.ts'

test(
  'real packets: pods on two nodes reach each other and every kind of Service address',
  { skip: namespacesMissing, timeout: 120_000 },
  async (t) => {
    const lab = await startLab(t, { nodes: 2 })
    const [one, two] = lab.nodes as [LabNode, LabNode]
    const [a, b, c] = await Promise.all([one.pod('a'), one.pod('b', 8088), two.pod('c')])
    await Promise.all([a.serve(8080), b.serve(8080), c.serve(8080)])

    await t.test('pods keep their address, on one node and across nodes', async () => {
      assert.equal(await a.sh(ask('tcp', b.address, 8080)), `b ${a.address}`)
      assert.equal(await a.sh(ask('tcp', c.address, 8080)), `c ${a.address}`)
      assert.equal(await one.sh(ask('tcp', c.address, 8080)), `c ${one.address}`)
    })

    await t.test('a host port leads to its pod, from other nodes, pods and the node itself', async () => {
      for (const from of [two.sh, c.sh, a.sh, one.sh]) assert.match(await from(ask('tcp', one.address, 8088)), /^b /)
    })

    await t.test('an address that no pod has, and one that no Service has, are refused at once', async () => {
      for (const address of ['10.244.9.9', '10.111.0.1'])
        assert.match(await a.sh(ask('tcp', address, 80)), /ConnectionRefusedError|OSError/, address)
      assert.match(await one.sh(ask('tcp', '10.111.0.1', 80)), /ConnectionRefusedError|PermissionError/)
    })

    await t.test('a Service is reached from pods of its node, of others, and from the nodes', async () => {
      await expose(lab, 'one', [[b.address, one]], {
        type: 'NodePort',
        externalIPs: ['10.89.77.200'],
        ports: [
          { name: 'tcp', port: 80, protocol: 'TCP', nodePort: 30080 },
          { name: 'udp', port: 80, protocol: 'UDP', nodePort: 30080 },
        ],
      })
      for (const protocol of ['tcp', 'udp'] as const) {
        assert.equal(await a.sh(ask(protocol, '10.96.0.7', 80)), `b ${a.address}`, `${protocol}: neighbour`)
        assert.equal(await c.sh(ask(protocol, '10.96.0.7', 80)), `b ${c.address}`, `${protocol}: other node`)
        assert.equal(await b.sh(ask(protocol, '10.96.0.7', 80)), 'b 10.244.0.1', `${protocol}: itself`)
        assert.match(await one.sh(ask(protocol, '10.96.0.7', 80)), /^b /, `${protocol}: its node`)
        assert.equal(await two.sh(ask(protocol, '10.96.0.7', 80)), `b ${two.address}`, `${protocol}: another node`)
        assert.match(await one.sh(ask(protocol, two.address, 30080)), /^b /, `${protocol}: node port of another node`)
        assert.match(await one.sh(ask(protocol, one.address, 30080)), /^b /, `${protocol}: own node port`)
        assert.match(await c.sh(ask(protocol, two.address, 30080)), /^b /, `${protocol}: node port from a pod`)
        assert.match(await c.sh(ask(protocol, '10.89.77.200', 80)), /^b /, `${protocol}: external address from a pod`)
      }
      assert.match(await a.sh(ask('tcp', '10.96.0.7', 81)), /ConnectionRefusedError/)
      // From the machine: outside of the cluster.
      assert.match((await runCommand({ file: 'sh', args: ['-c', ask('tcp', two.address, 30080)] })).stdout, /^b /)
    })

    await t.test('UDP clients follow when an endpoint goes, and no endpoints are refused', async () => {
      const client = (times: number) => `python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 4242)); s.settimeout(1); s.connect(("10.96.0.7", 80))
for i in range(${times}):
    try: s.send(b"x"); print(s.recv(100).decode().split()[0])
    except OSError as e: print(type(e).__name__)'`
      assert.equal(await a.sh(client(1)), 'b')
      const slice = await lab.client.get(endpointSlices, { namespace: 'default', name: 'one' })
      await lab.client.update(endpointSlices, {
        ...slice,
        endpoints: [{ addresses: [c.address], nodeName: two.name, conditions: { ready: true } }],
      })
      await until(async () => (await a.sh(client(1))) === 'c')
      await lab.client.update(endpointSlices, {
        ...(await lab.client.get(endpointSlices, { namespace: 'default', name: 'one' })),
        endpoints: [],
      })
      await settled(lab, '10.96.0.7', 'nobody')
      assert.equal(await a.sh(ask('tcp', '10.96.0.7', 80)), 'ConnectionRefusedError')
      assert.equal(await one.sh(ask('tcp', one.address, 30080)), 'ConnectionRefusedError')
    })

    await t.test('removing leaves no rule and no route', async () => {
      for (const node of lab.nodes) {
        await Promise.all([node.network.close(), node.proxy.close()])
        await removeProxyRules(node.nft)
        await removeNodeNetwork({
          run: node.run,
          nft: node.nft,
          config: { cniConfigDir: '/nonexistent', ipamDir: '/nonexistent' },
        })
        assert.equal(await node.sh('nft list ruleset'), '')
        assert.deepEqual(
          (await node.sh('ip route; ip route show table all proto 86')).split('\n').map((line) => line.split(' ')[0]),
          ['10.89.77.0/24'],
        )
      }
    })
  },
)

test(
  "real packets: without the kernel's look at bridged packets, a neighbour behind a Service still answers",
  { skip: namespacesMissing, timeout: 60_000 },
  async (t) => {
    const lab = await startLab(t, { nodes: 1, withoutBridgeNetfilter: true })
    const [one] = lab.nodes as [LabNode]
    const [a, b] = await Promise.all([one.pod('a'), one.pod('b')])
    await b.serve(8080)
    await expose(lab, 'one', [[b.address, one]])
    assert.equal(await a.sh(ask('tcp', '10.96.0.7', 80)), 'b 10.244.0.1')
    assert.equal(await a.sh(ask('tcp', b.address, 8080)), `b ${a.address}`)
  },
)
