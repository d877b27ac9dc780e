import type { RunCommand } from '../../base/command.ts'
import { CommandError, inNetworkNamespace } from '../../base/command.ts'
import type { Nft, NftStep } from '../../nftables/nft.ts'
import { deleteLink, readLinks } from '../links.ts'
import { hasSysctl, setSysctl } from '../sysctl.ts'
import { addressAt, defaultMachineNetworkConfig, indexOf, namesOf, namespacePath, prefixLengthOf } from './config.ts'
import type { MachineNetworkConfig, MachineNode } from './config.ts'

/** What the machine's side of the network needs. */
export interface MachineNetworkOptions {
  /** Runs programs in the machine's own network namespace. */
  readonly run: RunCommand
  readonly nft: Nft
  readonly config: Partial<MachineNetworkConfig> & Pick<MachineNetworkConfig, 'cluster'>
}

const complete = ({ config }: MachineNetworkOptions): MachineNetworkConfig => ({
  ...defaultMachineNetworkConfig,
  ...config,
})

/** A node that should be there. */
export interface WantedNode {
  readonly name: string
  /** Of the subnet; absent: the next free one. A node that is there keeps what it has. */
  readonly address?: string
}

/** The link of a node inside its namespace, and the bridge in the switch's. */
const nodeLink = 'eth0'
const bridge = 'switch0'

/** The machine's own address, which nodes reach the API server and each other's traffic under. */
const machineAddress = (config: Pick<MachineNetworkConfig, 'subnet'> = defaultMachineNetworkConfig): string =>
  addressAt(config.subnet, 0)

/**
 * Makes what is missing: the switch, the machine's link to it, and a namespace with a link for each node. Nodes that are there keep their address; others of
 * the cluster stay. The switch stands in a namespace of its own, so that the machine's firewall does not see what nodes say to each other.
 */
export async function ensureMachineNetwork(
  options: MachineNetworkOptions,
  nodes: readonly WantedNode[],
): Promise<MachineNode[]> {
  const config = complete(options)
  await ensureSwitch(options.run, config)
  const known = await listMachineNodes(options)
  const made: MachineNode[] = []
  for (const { name, address } of nodes) {
    const node =
      known.find((candidate) => candidate.name === name && candidate.address !== '') ??
      (await makeNode(options.run, config, { name, address, taken: [...known, ...made] }))
    await configureNode(options.run, config, node)
    made.push(node)
  }
  await ensureOutside(options, config, made[0]?.address)
  return made
}

/** The cluster's nodes that are on this machine, in the order of their addresses: what `delete` removes and a restart adopts. */
export async function listMachineNodes(options: MachineNetworkOptions): Promise<MachineNode[]> {
  const config = complete(options)
  const { prefix, switchNamespace } = namesOf(config.cluster)
  const found: MachineNode[] = []
  for (const namespace of await listNamespaces(options.run)) {
    if (!namespace.startsWith(prefix) || namespace === switchNamespace) continue
    const path = namespacePath(namespace)
    const links = await readLinks(inNetworkNamespace(options.run, path))
    const address = links
      .find(({ ifname }) => ifname === nodeLink)
      ?.addr_info?.find(({ local }) => indexOf(config.subnet, local) !== undefined)?.local
    found.push({ name: namespace.slice(prefix.length), namespace, namespacePath: path, address: address ?? '' })
  }
  return found.sort(
    (a, b) =>
      (indexOf(config.subnet, a.address || '0.0.0.0') ?? 0) - (indexOf(config.subnet, b.address || '0.0.0.0') ?? 0),
  )
}

/** Removes one node's namespace, and with it its links, routes and rules. */
export async function removeMachineNode(options: MachineNetworkOptions, name: string): Promise<void> {
  const { prefix } = namesOf(options.config.cluster)
  await deleteNamespace(options.run, `${prefix}${name}`)
}

/** Removes everything of the cluster from the machine's network. What is not there is fine. */
export async function removeMachineNetwork(options: MachineNetworkOptions): Promise<void> {
  const { prefix, hostLink } = namesOf(options.config.cluster)
  for (const namespace of await listNamespaces(options.run))
    if (namespace.startsWith(prefix)) await deleteNamespace(options.run, namespace)
  await deleteLink(options.run, hostLink)
  const table = outsideTable(options.config.cluster)
  const mine = (await options.nft.tables()).filter(({ name }) => name === table.name)
  await options.nft.apply(mine.map((found) => ({ do: 'delete table', table: found })))
}

async function listNamespaces(run: RunCommand): Promise<string[]> {
  const { stdout } = await run({ file: 'ip', args: ['-j', 'netns', 'list'] })
  return (JSON.parse(stdout.trim() || '[]') as { name: string }[]).map(({ name }) => name)
}

async function deleteNamespace(run: RunCommand, namespace: string): Promise<void> {
  try {
    await run({ file: 'ip', args: ['netns', 'delete', namespace] })
  } catch (error) {
    if (!(error instanceof CommandError) || !error.stderr.includes('No such file')) throw error
  }
}

async function ensureNamespace(run: RunCommand, namespace: string): Promise<RunCommand> {
  if (!(await listNamespaces(run)).includes(namespace)) await run({ file: 'ip', args: ['netns', 'add', namespace] })
  return inNetworkNamespace(run, namespacePath(namespace))
}

const batch = (run: RunCommand, ...lines: readonly string[]) =>
  run({ file: 'ip', args: ['-batch', '-'], input: `${lines.join('\n')}\n` })

async function ensureSwitch(run: RunCommand, config: MachineNetworkConfig): Promise<void> {
  const { switchNamespace, hostLink } = namesOf(config.cluster)
  const inside = await ensureNamespace(run, switchNamespace)
  if (!(await readLinks(inside)).some(({ ifname }) => ifname === bridge))
    await batch(inside, `link add ${bridge} type bridge`)
  // A switch only: no rules, no connection tracking.
  if (await hasSysctl(inside, 'net.bridge.bridge-nf-call-iptables'))
    await setSysctl(inside, 'net.bridge.bridge-nf-call-iptables', '0')
  await batch(inside, 'link set lo up', `link set ${bridge} mtu ${config.mtu} up`)
  if (!(await readLinks(run)).some(({ ifname }) => ifname === hostLink)) {
    // Half of a pair whose other half is gone cannot be: they go together.
    await batch(
      run,
      `link add ${hostLink} mtu ${config.mtu} type veth peer name machine mtu ${config.mtu} netns ${switchNamespace}`,
    )
  }
  await batch(inside, `link set machine master ${bridge} up`)
  await batch(
    run,
    `address replace ${machineAddress(config)}/${prefixLengthOf(config.subnet)} dev ${hostLink}`,
    `link set ${hostLink} up`,
  )
}

/** What a new node must keep clear of. */
interface NewNode {
  readonly name: string
  readonly address: string | undefined
  readonly taken: readonly MachineNode[]
}

async function makeNode(
  run: RunCommand,
  config: MachineNetworkConfig,
  { name, address, taken }: NewNode,
): Promise<MachineNode> {
  const used = new Set(taken.map(({ address }) => address))
  let index = 1
  while (used.has(addressAt(config.subnet, index))) index++
  const namespace = `${namesOf(config.cluster).prefix}${name}`
  await ensureNamespace(run, namespace)
  return {
    name,
    namespace,
    namespacePath: namespacePath(namespace),
    address: address ?? addressAt(config.subnet, index),
  }
}

async function configureNode(run: RunCommand, config: MachineNetworkConfig, node: MachineNode): Promise<void> {
  const { switchNamespace, port } = namesOf(config.cluster)
  const inside = inNetworkNamespace(run, node.namespacePath)
  const inSwitch = inNetworkNamespace(run, namespacePath(switchNamespace))
  const portName = port(indexOf(config.subnet, node.address) ?? 0)
  if (!(await readLinks(inside)).some(({ ifname }) => ifname === nodeLink)) {
    await batch(
      inSwitch,
      `link add ${portName} mtu ${config.mtu} type veth peer name ${nodeLink} mtu ${config.mtu} netns ${node.namespace}`,
    )
  }
  await batch(inSwitch, `link set ${portName} master ${bridge} up`)
  await batch(
    inside,
    'link set lo up',
    `address replace ${node.address}/${prefixLengthOf(config.subnet)} dev ${nodeLink}`,
    `link set ${nodeLink} up`,
  )
  if (config.outside) await batch(inside, `route replace default via ${machineAddress(config)}`)
}

const outsideTable = (cluster: string) => ({ family: 'ip', name: `kubernode-machine-${cluster}` }) as const

async function ensureOutside(
  { run, nft }: MachineNetworkOptions,
  config: MachineNetworkConfig,
  firstNode: string | undefined,
): Promise<void> {
  const { hostLink } = namesOf(config.cluster)
  if (firstNode !== undefined)
    for (const block of config.hostRoutes) await batch(run, `route replace ${block} via ${firstNode} dev ${hostLink}`)
  const table = outsideTable(config.cluster)
  const there = (await nft.tables()).some(({ name }) => name === table.name)
  if (!config.outside) return there ? nft.apply([{ do: 'delete table', table }]) : undefined
  await setSysctl(run, 'net.ipv4.ip_forward', '1')
  const steps: NftStep[] = [
    { do: 'add table', table },
    { do: 'delete table', table },
    { do: 'add table', table },
    { do: 'add chain', table, chain: 'postrouting', hook: { type: 'nat', hook: 'postrouting', priority: 100 } },
    {
      do: 'add rule',
      table,
      chain: 'postrouting',
      rule: `ip saddr ${config.subnet} oifname != "${hostLink}" masquerade fully-random`,
    },
  ]
  await nft.apply(steps)
}
