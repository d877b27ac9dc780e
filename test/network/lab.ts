import type { TestContext } from 'node:test'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endpointSlices, nodes, services } from '../../src/api/generated/resources.ts'
import type { ServiceSpec } from '../../src/api/generated/types/core-v1.ts'
import { realClock } from '../../src/base/clock.ts'
import { inNetworkNamespace, runCommand } from '../../src/base/command.ts'
import type { RunCommand } from '../../src/base/command.ts'
import type { Deps } from '../../src/base/deps.ts'
import { silentLogger } from '../../src/base/log.ts'
import { Metrics } from '../../src/base/metrics.ts'
import { realRandom } from '../../src/base/random.ts'
import type { Client } from '../../src/client/client.ts'
import { findPlugins } from '../../src/network/cni/files.ts'
import { defaultNodeNetworkConfig } from '../../src/network/config.ts'
import { startTestApi } from '../api.ts'
import type { MachineNode } from '../../src/network/machine/config.ts'
import { ensureMachineNetwork, removeMachineNetwork } from '../../src/network/machine/machine-network.ts'
import { startNodeNetwork } from '../../src/network/node-network.ts'
import type { NodeNetwork } from '../../src/network/node-network.ts'
import type { Nft } from '../../src/nftables/nft.ts'
import { realNft } from '../../src/nftables/real.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import type { Proxy } from '../../src/proxy/proxy.ts'

/** A node of the lab: a network namespace with its pod network and service proxy. */
export interface LabNode extends MachineNode {
  readonly run: RunCommand
  readonly nft: Nft
  readonly network: NodeNetwork
  proxy: Proxy
  /** Starts a pod through the runtime's own plugins; `hostPort` leads to its port 8080. */
  pod(name: string, hostPort?: number): Promise<LabPod>
  /** Runs a line of shell on the node. */
  sh(line: string): Promise<string>
  /** Serves on the node itself, as a pod in its network does. */
  serve(port: number): Promise<void>
  /** Another proxy in the place of the last one. */
  restartProxy(): Promise<void>
}

/** A pod of the lab: a network namespace that the CNI plugins have connected. */
export interface LabPod {
  readonly name: string
  readonly address: string
  sh(line: string): Promise<string>
  /** Serves, on TCP and UDP, its own name and the address it was asked from. */
  serve(port: number): Promise<void>
}

export interface Lab {
  readonly deps: Deps
  readonly client: Client
  readonly nodes: readonly LabNode[]
}

/** What a lab can vary. */
export interface LabOptions {
  readonly nodes: number
  /** Without the kernel's look at bridged packets. */
  readonly withoutBridgeNetfilter?: boolean
}

/** Answers "name client-address" on TCP and UDP. Printed "ready" when it listens. */
const server = `
import socket, threading, sys
name, port = sys.argv[1], int(sys.argv[2])
tcp = socket.socket(); tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); tcp.bind(('0.0.0.0', port)); tcp.listen(64)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('0.0.0.0', port))
def on_udp():
    while True:
        data, peer = udp.recvfrom(100); udp.sendto((name + ' ' + peer[0]).encode(), peer)
threading.Thread(target=on_udp, daemon=True).start()
print('ready', flush=True)
while True:
    c, peer = tcp.accept(); c.sendall((name + ' ' + peer[0]).encode()); threading.Thread(target=lambda c=c: c.recv(1) and c.sendall(b'bye'), daemon=True).start()
`

/** Asks: prints the answer, or why there is none. */
export const ask = (protocol: 'tcp' | 'udp', address: string, port: number): string =>
  `python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.${protocol === 'tcp' ? 'SOCK_STREAM' : 'SOCK_DGRAM'}); s.settimeout(3)
try:
    s.connect(("${address}", ${port})); ${protocol === 'udp' ? 's.send(b"x"); ' : ''}print(s.recv(100).decode())
except OSError as e: print(type(e).__name__)'`

/** Resolves when every proxy leads the ClusterIP somewhere, or to a refusal when `to` is 'nobody'; the machine may be busy. */
export async function settled(lab: Lab, clusterIp: string, to: 'endpoints' | 'nobody' = 'endpoints'): Promise<void> {
  const set = to === 'endpoints' ? 'service-ips' : 'no-endpoint-services'
  const isThere = async ({ nft, proxy }: LabNode) => {
    await proxy.settled()
    return (await nft.elements({ family: 'ip', name: 'kubernode-proxy' }, set)).some(({ key }) =>
      key.startsWith(`${clusterIp} `),
    )
  }
  for (let attempt = 0; attempt < 400; attempt++) {
    if ((await Promise.all(lab.nodes.map(isThere))).every(Boolean)) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`${clusterIp} is not in ${set}`)
}

/** Resolves when the condition holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('it did not come to hold')
}

/** What a Service shall be, and where its load balancer listens. */
export interface Exposure extends ServiceSpec {
  readonly ingress?: readonly string[]
}

/** Makes a Service with its endpoints, port 80 to 8080. */
export async function expose(
  lab: Lab,
  name: string,
  endpoints: readonly (readonly [address: string, node: LabNode])[],
  { ingress = [], ...spec }: Exposure = {},
): Promise<void> {
  const ports = spec.ports ?? [
    { name: 'tcp', port: 80, protocol: 'TCP' },
    { name: 'udp', port: 80, protocol: 'UDP' },
  ]
  const created = await lab.client.create(services, {
    metadata: { name, namespace: 'default' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], ...spec, ports },
  })
  if (ingress.length > 0) {
    const loadBalancer = { ingress: ingress.map((ip) => ({ ip, ipMode: 'VIP' })) }
    await lab.client.updateStatus(services, { ...created, status: { loadBalancer } })
  }
  await lab.client.create(endpointSlices, {
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports.map((port) => ({ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: 8080 })),
    endpoints: endpoints.map(([address, node]) => ({
      addresses: [address],
      nodeName: node.name,
      conditions: { ready: true },
    })),
  })
  if (endpoints.length > 0) await settled(lab, spec.clusterIP ?? '10.96.0.7')
}

/** A cluster's network on this machine, with real packets; it goes with the test. */
export async function startLab(t: TestContext, options: LabOptions): Promise<Lab> {
  const dir = await mkdtemp(join(tmpdir(), 'kn-lab-'))
  const cluster = `lab-${realRandom.uuid().slice(0, 6)}`
  const machine = { run: runCommand, nft: realNft({ run: runCommand }), config: { cluster, subnet: '10.89.77.0/24' } }
  const closing: (() => Promise<unknown>)[] = []
  t.after(async () => {
    for (const close of closing.reverse()) await close()
    await rm(dir, { recursive: true })
  })
  closing.push(() => removeMachineNetwork(machine))
  const places = await ensureMachineNetwork(
    machine,
    Array.from({ length: options.nodes }, (_, i) => ({ name: `node-${i + 1}` })),
  )
  const deps: Deps = { clock: realClock, random: realRandom, log: silentLogger, metrics: new Metrics() }
  const api = await startTestApi(deps)
  const { client } = api
  closing.push(() => api.close())
  for (const [i, place] of places.entries()) {
    await client.create(nodes, {
      metadata: { name: place.name },
      spec: { podCIDR: `10.244.${i}.0/24`, podCIDRs: [`10.244.${i}.0/24`] },
      status: { addresses: [{ type: 'InternalIP', address: place.address }] },
    })
  }
  const labNodes = await Promise.all(
    places.map((place) => startLabNode({ deps, client, dir: join(dir, place.name), place, closing, options })),
  )
  return { deps, client, nodes: labNodes }
}

interface Starting {
  readonly deps: Deps
  readonly client: Client
  readonly dir: string
  readonly place: MachineNode
  readonly closing: (() => Promise<unknown>)[]
  readonly options: LabOptions
}

async function startLabNode({ deps, client, dir, place, closing, options }: Starting): Promise<LabNode> {
  const inside = inNetworkNamespace(runCommand, place.namespacePath)
  const hides = ({ file, args }: { file: string; args: readonly string[] }) =>
    options.withoutBridgeNetfilter && (file === 'test' || file === 'modprobe') && args.join().includes('br')
  const run: RunCommand = (command) => (hides(command) ? Promise.reject(new Error('not there')) : inside(command))
  if (options.withoutBridgeNetfilter)
    await inside({ file: 'sh', args: ['-c', 'echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables'] })
  const nft = realNft({ run: runCommand, namespacePath: place.namespacePath })
  const config = { cniConfigDir: join(dir, 'net.d'), ipamDir: join(dir, 'ipam') }
  const network = await startNodeNetwork({ ...deps, client, nodeName: place.name, run, nft, config })
  await network.ready
  const newProxy = async () => {
    const proxy = await startProxy({ ...deps, client, nodeName: place.name, nft, run, serviceHealthHost: '' })
    await proxy.synced
    return proxy
  }
  const sh = async (line: string) => (await inside({ file: 'sh', args: ['-c', line] })).stdout.trim()
  const node: LabNode = {
    ...place,
    run,
    nft,
    network,
    proxy: await newProxy(),
    sh,
    pod: (name, hostPort) => startPod({ name, node: place, dir, closing, hostPort }),
    serve: (port) => serve(place.namespacePath, place.name, { port, closing }),
    async restartProxy() {
      await node.proxy.close()
      node.proxy = await newProxy()
    },
  }
  closing.push(
    () => network.close(),
    () => node.proxy.close(),
  )
  return node
}

interface StartingPod {
  readonly name: string
  readonly node: MachineNode
  readonly dir: string
  readonly closing: (() => Promise<unknown>)[]
  readonly hostPort: number | undefined
}

async function startPod({ name, node, dir, closing, hostPort }: StartingPod): Promise<LabPod> {
  const namespace = `${node.namespace}.pod.${name}`
  const path = `/run/netns/${namespace}`
  const onNode = inNetworkNamespace(runCommand, node.namespacePath)
  await runCommand({ file: 'ip', args: ['netns', 'add', namespace] })
  closing.push(() => runCommand({ file: 'ip', args: ['netns', 'delete', namespace] }))
  const inside = inNetworkNamespace(runCommand, path)
  await inside({ file: 'ip', args: ['link', 'set', 'lo', 'up'] })
  const list = JSON.parse(
    (await runCommand({ file: 'cat', args: [join(dir, 'net.d', '10-kubernode.conflist')] })).stdout,
  ) as { name: string; cniVersion: string; plugins: { type: string }[] }
  const plugins = await findPlugins(defaultNodeNetworkConfig.cniBinDirs)
  const env = [
    'CNI_COMMAND=ADD',
    `CNI_CONTAINERID=${name}`,
    `CNI_NETNS=${path}`,
    'CNI_IFNAME=eth0',
    `CNI_PATH=${plugins}`,
  ]
  // As the runtime does it: each plugin gets the result of the one before.
  let result: { ips: { address: string }[] } | undefined
  for (const plugin of list.plugins) {
    const portMappings = hostPort === undefined ? [] : [{ hostPort, containerPort: 8080, protocol: 'tcp' }]
    const input = JSON.stringify({
      cniVersion: list.cniVersion,
      name: list.name,
      ...plugin,
      ...(plugin.type === 'portmap' && { runtimeConfig: { portMappings } }),
      ...(result && { prevResult: result }),
    })
    result = JSON.parse(
      (await onNode({ file: 'env', args: [...env, join(plugins, plugin.type)], input })).stdout,
    ) as typeof result
  }
  const address = result!.ips[0]!.address.split('/')[0]!
  return {
    name,
    address,
    sh: async (line) => (await inside({ file: 'sh', args: ['-c', line] })).stdout.trim(),
    serve: (port) => serve(path, name, { port, closing }),
  }
}

async function serve(
  path: string,
  name: string,
  { port, closing }: { port: number; closing: (() => Promise<unknown>)[] },
): Promise<void> {
  const child = spawn('nsenter', [`--net=${path}`, 'python3', '-c', server, name, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  closing.push(async () => {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
}
