import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { services } from '../../src/api/generated/resources.ts'
import { runCommand } from '../../src/base/command.ts'
import { startDns } from '../../src/dns/dns.ts'
import { ensureDnsService } from '../../src/dns/service.ts'
import { namespacesMissing } from '../../src/nftables/test-namespace.ts'
import { ask, expose, settled, startLab, until } from './lab.ts'
import type { LabNode } from './lab.ts'

test(
  "real packets: load balancers, policies, affinity, the node's own servers, DNS, and a new proxy",
  { skip: namespacesMissing, timeout: 120_000 },
  async (t) => {
    const lab = await startLab(t, { nodes: 2 })
    const [one, two] = lab.nodes as [LabNode, LabNode]
    const [a, b, c] = await Promise.all([one.pod('a'), one.pod('b'), two.pod('c')])
    await Promise.all([b.serve(8080), c.serve(8080), one.serve(8080)])
    const machine = async (line: string) => (await runCommand({ file: 'sh', args: ['-c', line] })).stdout.trim()
    const hosts = [one.address, two.address]

    await t.test("a load balancer on the nodes' addresses is reached from everywhere", async () => {
      await expose(lab, 'web', [[b.address, one]], {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.20',
        clusterIPs: ['10.96.0.20'],
        ports: [{ name: 'tcp', port: 80, protocol: 'TCP' }],
        ingress: hosts,
      })
      for (const from of [machine, one.sh, two.sh, a.sh, b.sh, c.sh])
        for (const host of hosts) assert.match(await from(ask('tcp', host, 80)), /^b /)
    })

    await t.test('source ranges keep the machine out', async () => {
      await expose(lab, 'closed', [[b.address, one]], {
        type: 'LoadBalancer',
        loadBalancerSourceRanges: ['10.244.0.0/16'],
        clusterIP: '10.96.0.21',
        clusterIPs: ['10.96.0.21'],
        ports: [{ name: 'tcp', port: 81, protocol: 'TCP' }],
        ingress: hosts,
      })
      assert.equal(await machine(ask('tcp', two.address, 81)), 'TimeoutError')
      assert.match(await c.sh(ask('tcp', two.address, 81)), /^b /)
    })

    await t.test("external traffic policy Local keeps the client's address", async () => {
      await expose(lab, 'local', [[c.address, two]], {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        clusterIP: '10.96.0.22',
        clusterIPs: ['10.96.0.22'],
        ports: [{ name: 'tcp', port: 82, protocol: 'TCP', nodePort: 30082 }],
        ingress: hosts,
      })
      assert.equal(await machine(ask('tcp', two.address, 82)), 'c 10.89.77.1')
      assert.equal(await machine(ask('tcp', two.address, 30082)), 'c 10.89.77.1')
      assert.equal(await machine(ask('tcp', one.address, 30082)), 'TimeoutError')
      assert.match(await a.sh(ask('tcp', one.address, 82)), /^c /)
      assert.match(await one.sh(ask('tcp', one.address, 30082)), /^c /)
    })

    await t.test('a client stays with its endpoint', async () => {
      await expose(
        lab,
        'sticky',
        [
          [b.address, one],
          [c.address, two],
        ],
        {
          sessionAffinity: 'ClientIP',
          clusterIP: '10.96.0.23',
          clusterIPs: ['10.96.0.23'],
          ports: [{ name: 'tcp', port: 80, protocol: 'TCP' }],
        },
      )
      const answers = new Set<string>()
      for (let i = 0; i < 6; i++) answers.add(await a.sh(ask('tcp', '10.96.0.23', 80)))
      assert.equal(answers.size, 1)
      await one.restartProxy()
      answers.add(await a.sh(ask('tcp', '10.96.0.23', 80)))
      assert.equal(answers.size, 1, 'and after a new proxy')
    })

    await t.test(
      "a server in the node's own network stands behind a Service for pods, both nodes and itself",
      async () => {
        await expose(lab, 'host', [[one.address, one]], {
          clusterIP: '10.96.0.31',
          clusterIPs: ['10.96.0.31'],
          ports: [{ name: 'tcp', port: 443, protocol: 'TCP' }],
        })
        for (const from of [a.sh, c.sh, one.sh, two.sh])
          assert.match(await from(ask('tcp', '10.96.0.31', 443)), /^node-1 /)
      },
    )

    await t.test("names are resolved under the DNS Service's address", async () => {
      const dns = await startDns({ ...lab.deps, client: lab.client, listen: [{ host: '10.89.77.1', port: 0 }] })
      try {
        await dns.synced
        await ensureDnsService(lab.client, [
          { nodeName: 'machine', address: '10.89.77.1', port: dns.addresses[0]!.port },
        ])
        await settled(lab, '10.96.0.10')
        const question = `python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(("10.96.0.10", 53))
s.send(bytes.fromhex("000701000001000000000000") + b"\\x03web\\x07default\\x03svc\\x07cluster\\x05local\\0\\0\\1\\0\\1"); print(socket.inet_ntoa(s.recv(512)[-4:]))'`
        for (const from of [a.sh, c.sh, one.sh]) assert.equal(await from(question), '10.96.0.20')
        // A question from port 0, which a pod may send, cannot be answered; the next one is.
        await one.sh(`python3 -c 'import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
q = bytes.fromhex("000701000001000000000000") + b"\\x03web\\x07default\\x03svc\\x07cluster\\x05local\\0\\0\\1\\0\\1"
s.sendto(struct.pack(">HHHH", 0, ${dns.addresses[0]!.port}, 8 + len(q), 0) + q, ("10.89.77.1", 0))'`)
        assert.equal(await one.sh(question), '10.96.0.20')
      } finally {
        await dns.close()
      }
    })

    await t.test('an open connection outlives a new proxy and the end of its Service', async () => {
      const line = `import socket, sys
s = socket.create_connection(("10.96.0.20", 80), 5); print(s.recv(100).decode(), flush=True)
sys.stdin.readline(); s.send(b"x"); print(s.recv(100).decode(), flush=True)`
      const client = spawn('nsenter', [`--net=/run/netns/${one.namespace}.pod.a`, 'python3', '-c', line])
      const said = () =>
        new Promise<string>((resolve) => client.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())))
      assert.match(await said(), /^b /)
      await one.restartProxy()
      await lab.client.delete(services, { namespace: 'default', name: 'web' })
      await until(async () => (await a.sh(ask('tcp', '10.96.0.20', 80))) === 'ConnectionRefusedError')
      client.stdin.end('\n')
      assert.equal(await said(), 'bye')
    })
  },
)
