import { existsSync, readdirSync } from 'node:fs'
import { baseFolders, clusterPaths } from './paths.ts'
import { readFileIfThere, writeFileAtomic } from './files.ts'
import { exitCodes, Problem } from './problem.ts'
import type { ClusterConfig } from './config/settings.ts'

/** What is remembered of a cluster between commands: `cluster.json` in its data folder. */
export interface ClusterRecord {
  readonly config: ClusterConfig
  /** Nodes run no containers: asked for, or because the machine cannot. */
  readonly simulated: boolean
  /** The address that Pods and nodes reach the API server at. */
  readonly advertiseAddress: string
  readonly kubeconfig: string
  /** The kubeconfig context that was current before the cluster came. */
  readonly previousContext: string
}

/** The context, cluster and user name in a kubeconfig, as kind does it. */
export const contextName = (cluster: string): string => (cluster === 'kubernode' ? 'kubernode' : `kubernode-${cluster}`)

/** The record of a cluster, or undefined when there is none. */
export function readRecord(name: string): ClusterRecord | undefined {
  const path = clusterPaths(name).config
  const text = readFileIfThere(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as ClusterRecord
  } catch (error) {
    throw new Problem(
      'KN-CONFIG-01',
      `${path} is damaged: ${(error as Error).message}`,
      `run \`kubernode delete ${name}\` and start anew`,
      { cause: error },
    )
  }
}

/** The record of a cluster that must exist. */
export function requireRecord(name: string): ClusterRecord {
  const record = readRecord(name)
  if (record) return record
  const others = clusterNames()
  if (others.includes(name))
    throw new Problem(
      'KN-CLUSTER-01',
      `the cluster ${name} is incomplete: it was made or deleted only halfway`,
      `\`kubernode up ${name}\` completes it, \`kubernode delete ${name}\` removes what is left`,
      { exitCode: exitCodes.notFound },
    )
  throw new Problem(
    'KN-CLUSTER-01',
    `there is no cluster named ${name}`,
    others.length ? `clusters here: ${others.join(', ')}` : 'run `kubernode up` to make one',
    { exitCode: exitCodes.notFound },
  )
}

/** Remembers a cluster. */
export const writeRecord = (record: ClusterRecord): void =>
  writeFileAtomic(clusterPaths(record.config.name).config, `${JSON.stringify(record, null, 2)}\n`)

/** The names of all clusters of this user on this machine. */
export function clusterNames(): string[] {
  const { data } = baseFolders(process.env, process.getuid?.() === 0)
  return existsSync(data)
    ? readdirSync(data, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort()
    : []
}

/** One node of a cluster on this machine. */
export interface NodePlan {
  readonly name: string
  /** Its address; undefined for simulated nodes. */
  readonly address?: string
  /** It has a network namespace of its own. */
  readonly isolated: boolean
}

/** The nodes of a cluster: one is the machine itself, several are network namespaces on a bridge, simulated ones are only names. */
export function nodePlans(
  { config, simulated, advertiseAddress }: Pick<ClusterRecord, 'config' | 'simulated' | 'advertiseAddress'>,
  hostname: string,
): readonly NodePlan[] {
  if (!simulated && config.nodes === 1)
    return [{ name: hostname.toLowerCase(), address: advertiseAddress, isolated: false }]
  return Array.from({ length: config.nodes }, (_, i) => {
    const name = `${config.name}-${i + 1}`
    return simulated ? { name, isolated: false } : { name, address: addressIn(config.nodeCIDR, 2 + i), isolated: true }
  })
}

/** The n-th address of an IPv4 range. */
export function addressIn(cidr: string, n: number): string {
  const [base = ''] = cidr.split('/')
  const value = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + n
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}
