import { isIP } from 'node:net'

/** What a cluster is made from, every default filled in. */
export interface ClusterConfig {
  readonly name: string
  readonly nodes: number
  readonly simulated: boolean
  readonly podCIDR: string
  readonly serviceCIDR: string
  readonly clusterDomain: string
  readonly address: string
  readonly port: number
  readonly store: 'embedded' | 'memory'
  /** Nodes have no way out of the machine. */
  readonly isolated: boolean
  /** The machine-local network that the nodes of a cluster with several nodes are on. */
  readonly nodeCIDR: string
}

type Value = string | number | boolean

/** One setting: a flag, a field of the configuration file and an environment variable in one. */
export interface Setting {
  readonly field: keyof ClusterConfig
  /** Where it is in the file: `network.podCIDR`. */
  readonly path: string
  /** `--pod-cidr <cidr>`; the environment variable follows from it: KUBERNODE_POD_CIDR. */
  readonly flag: string
  readonly help: string
  readonly fallback: Value
  /** The value, or what is wrong with it. */
  readonly parse: (text: string) => { readonly value: Value } | { readonly wrong: string }
}

function count(min: number, max: number) {
  return (given: string) => {
    const value = Number(given)
    return Number.isInteger(value) && value >= min && value <= max
      ? { value }
      : { wrong: `must be a whole number from ${min} to ${max}` }
  }
}

function cidr(given: string) {
  const [address = '', length = '', ...rest] = given.split('/')
  const bits = isIP(address) === 4 ? 32 : 0
  return rest.length === 0 && bits > 0 && /^\d+$/.test(length) && Number(length) >= 8 && Number(length) <= 28
    ? { value: given }
    : { wrong: 'must be an IPv4 range such as 10.244.0.0/16, with a prefix from 8 to 28' }
}

const name = (given: string) =>
  /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(given)
    ? { value: given }
    : { wrong: 'must be at most 32 lower-case letters, digits and dashes, beginning and ending with a letter or digit' }

const flag = (given: string) =>
  given === 'true' || given === ''
    ? { value: true }
    : given === 'false'
      ? { value: false }
      : { wrong: 'must be true or false' }

const oneOf =
  (...allowed: string[]) =>
  (given: string) =>
    allowed.includes(given) ? { value: given } : { wrong: `must be one of ${allowed.join(', ')}` }

const domain = (given: string) =>
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(given)
    ? { value: given }
    : { wrong: 'must be a DNS name such as cluster.local' }

const address = (given: string) => (isIP(given) ? { value: given } : { wrong: 'must be an IP address' })

/** More simulated nodes than this need a larger machine; it keeps a typing error from filling the memory. */
const nodesMax = 5000

/** Every setting of a cluster. Flags, the file's fields, environment variables, `--print-config` and the documentation come from this table. */
export const settings: readonly Setting[] = [
  {
    field: 'name',
    path: 'metadata.name',
    flag: '--name <name>',
    help: 'name of the cluster',
    fallback: 'kubernode',
    parse: name,
  },
  {
    field: 'nodes',
    path: 'nodes',
    flag: '--nodes <n>',
    help: 'number of nodes on this machine',
    fallback: 1,
    parse: count(1, nodesMax),
  },
  {
    field: 'simulated',
    path: 'simulated',
    flag: '--simulated',
    help: 'nodes that run no containers',
    fallback: false,
    parse: flag,
  },
  {
    field: 'podCIDR',
    path: 'network.podCIDR',
    flag: '--pod-cidr <cidr>',
    help: 'addresses of Pods',
    fallback: '10.244.0.0/16',
    parse: cidr,
  },
  {
    field: 'serviceCIDR',
    path: 'network.serviceCIDR',
    flag: '--service-cidr <cidr>',
    help: 'addresses of Services',
    fallback: '10.96.0.0/12',
    parse: cidr,
  },
  {
    field: 'nodeCIDR',
    path: 'network.nodeCIDR',
    flag: '--node-cidr <cidr>',
    help: 'addresses of the nodes, when there are several on this machine',
    fallback: '10.89.0.0/24',
    parse: cidr,
  },
  {
    field: 'isolated',
    path: 'network.isolated',
    flag: '--isolated',
    help: 'several nodes on this machine have no way out of it',
    fallback: false,
    parse: flag,
  },
  {
    field: 'clusterDomain',
    path: 'network.clusterDomain',
    flag: '--cluster-domain <name>',
    help: 'DNS domain of the cluster',
    fallback: 'cluster.local',
    parse: domain,
  },
  {
    field: 'address',
    path: 'apiServer.address',
    flag: '--address <ip>',
    help: 'address that the API server answers on for this machine',
    fallback: '127.0.0.1',
    parse: address,
  },
  {
    field: 'port',
    path: 'apiServer.port',
    flag: '--port <port>',
    help: 'port of the API server',
    fallback: 6443,
    parse: count(1, 65535),
  },
  {
    field: 'store',
    path: 'store.type',
    flag: '--store <type>',
    help: 'embedded (on disk) or memory',
    fallback: 'embedded',
    parse: oneOf('embedded', 'memory'),
  },
]

/** '--pod-cidr <cidr>' → 'KUBERNODE_POD_CIDR' */
export const environmentName = ({ flag }: Setting): string =>
  `KUBERNODE_${flagName(flag).toUpperCase().replaceAll('-', '_')}`

/** '--pod-cidr <cidr>' → 'pod-cidr' */
export const flagName = (flag: string): string => flag.slice(2).split(' ')[0]!
