import { createHash } from 'node:crypto'
import { assert } from '../../base/assert.ts'

/** Several nodes on one machine: a network namespace each, on a bridge that stands in a namespace of its own. */
export interface MachineNetworkConfig {
  /** Tells clusters of one machine apart: part of every name. */
  readonly cluster: string
  /** The nodes' addresses, an IPv4 block: '10.89.0.0/24'. The machine itself has the first, nodes the next ones. */
  readonly subnet: string
  /** Let nodes reach the world: a default route, and the machine's address on what leaves. */
  readonly outside: boolean
  /** Blocks that the machine reaches by the first node (the Service range, the pods'), so that a ClusterIP answers on it. */
  readonly hostRoutes: readonly string[]
  readonly mtu: number
}

/** The usual. */
export const defaultMachineNetworkConfig = {
  subnet: '10.89.0.0/24',
  outside: false,
  hostRoutes: [],
  mtu: 1500,
} as const satisfies Omit<MachineNetworkConfig, 'cluster'>

/** A node's place on the machine. */
export interface MachineNode {
  readonly name: string
  /** Name of its network namespace, as `ip netns` has it. */
  readonly namespace: string
  /** For `nsenter --net=PATH`. */
  readonly namespacePath: string
  readonly address: string
}

/** Where `ip netns` keeps namespaces. */
const namespaceDir = '/run/netns'

/** A namespace's path. */
export const namespacePath = (namespace: string): string => `${namespaceDir}/${namespace}`

/** The names that a cluster uses on the machine. Links have at most 15 letters, so a hash stands for the cluster. */
export function namesOf(cluster: string): {
  readonly prefix: string
  readonly switchNamespace: string
  readonly hostLink: string
  readonly port: (index: number) => string
} {
  const hash = createHash('sha256').update(cluster).digest('hex').slice(0, 6)
  // Two dots: no node's name has them.
  const prefix = `kubernode.${cluster}.`
  return { prefix, switchNamespace: `${prefix}.switch`, hostLink: `kn-${hash}`, port: (index) => `kn-${hash}-${index}` }
}

/** The address of the machine (0) or of its node number `index` (from 1). */
export function addressAt(subnet: string, index: number): string {
  const { base, size } = rangeOf(subnet)
  assert(index + 1 < size - 1, `${subnet} has no place for node ${index}`)
  return textOf(base + 1 + index)
}

/** The bits of the subnet's prefix. */
export const prefixLengthOf = (subnet: string): number => Number(subnet.split('/')[1])

/** Which node (from 1) an address is; 0 is the machine; undefined: none of the subnet. */
export function indexOf(subnet: string, address: string): number | undefined {
  const { base, size } = rangeOf(subnet)
  const index = numberOf(address) - base - 1
  return index >= 0 && index < size - 2 ? index : undefined
}

function rangeOf(subnet: string): { base: number; size: number } {
  const [network = '', bits] = subnet.split('/')
  const size = 2 ** (32 - Number(bits))
  return { base: Math.floor(numberOf(network) / size) * size, size }
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const textOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
