/** What is done before a cluster's process is started: what it will be like, whether it can be, its files. */
import { hostname, networkInterfaces } from 'node:os'
import type { Deps } from '../base/deps.ts'
import type { ClusterConfig } from './config/settings.ts'
import { ensureFolder, writeFileAtomic } from './files.ts'
import { portIsFree } from './host/checks.ts'
import { kubeconfigPath, kubeconfigText, mergeKubeconfig, type KubeconfigEntry } from './kubeconfig/kubeconfig.ts'
import { clusterPaths } from './paths.ts'
import { ensureClusterPki, type ClusterPki } from './pki/cluster-pki.ts'
import { Problem } from './problem.ts'
import { runningProcess } from './process/child.ts'
import {
  addressIn,
  clusterNames,
  contextName,
  nodePlans,
  readRecord,
  writeRecord,
  type ClusterRecord,
} from './record.ts'

/** What `up` was asked for. */
export interface UpRequest extends Deps {
  readonly config: ClusterConfig
  readonly kubeconfig: string | undefined
  /** Nodes cannot run containers on this machine, or need not. */
  readonly simulated: boolean
}

/** The record of a cluster as `up` wants it: what exists keeps its nature, what is new gets this machine's address. */
export function planRecord({ config, simulated, kubeconfig }: UpRequest): ClusterRecord {
  const there = readRecord(config.name)
  return {
    config,
    simulated,
    advertiseAddress: simulated
      ? config.address
      : config.nodes > 1
        ? addressIn(config.nodeCIDR, 1)
        : machineAddress(config),
    kubeconfig: kubeconfigPath(kubeconfig ?? there?.kubeconfig),
    previousContext: there?.previousContext ?? '',
  }
}

/** Makes the cluster's folders, certificates and kubeconfig, merges its context and remembers it. */
export async function prepare(record: ClusterRecord, deps: Deps): Promise<void> {
  const { config } = record
  const paths = clusterPaths(config.name)
  ensureFolder(paths.data, 0o700)
  ensureFolder(paths.run, 0o700)
  const pki = await clusterPki(record, deps)
  const entry: KubeconfigEntry = {
    name: contextName(config.name),
    server: `https://${config.address}:${config.port}`,
    ca: pki.authority.cert,
    user: pki.admin,
  }
  writeFileAtomic(paths.adminKubeconfig, await kubeconfigText(entry))
  // Known before it is merged: should this be cut short here, `delete` still finds the entry.
  writeRecord(record)
  const before = await mergeKubeconfig(record.kubeconfig, entry)
  writeRecord({ ...record, previousContext: before === entry.name ? record.previousContext : before })
}

/** The cluster's certificates, made where they are missing or about to expire. With `readOnly` taken as they are, where they are. */
export function clusterPki(
  record: ClusterRecord,
  deps: Deps,
  { readOnly }: { readonly readOnly?: boolean } = {},
): Promise<ClusterPki> {
  const { config } = record
  const names = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${config.clusterDomain}`,
  ]
  return ensureClusterPki(
    {
      folder: clusterPaths(config.name).pki,
      apiServerHosts: [
        ...new Set([config.address, '127.0.0.1', record.advertiseAddress, addressIn(config.serviceCIDR, 1), ...names]),
      ],
      readOnly,
      nodes: record.simulated
        ? []
        : nodePlans(record, hostname()).map(({ name, address }) => ({ name, addresses: address ? [address] : [] })),
    },
    deps,
  )
}

/** Fails when another program holds the API server's port: before anything is made. */
export async function requirePort({ name, address, port }: ClusterConfig): Promise<void> {
  if (runningProcess(clusterPaths(name).pid) !== undefined || (await portIsFree(port, address))) return
  throw new Problem(
    'KN-PORT-01',
    `${address}:${port} is in use by another program`,
    `choose another port: kubernode up ${name} --port ${port + 1}`,
  )
}

/** Fails when the machine is to be a node while it is one of another cluster: both would use the same links and rules. */
export function requireMachine({ config, simulated }: ClusterRecord): void {
  if (simulated || config.nodes > 1) return
  const other = clusterNames().find((name) => {
    const record = name === config.name ? undefined : readRecord(name)
    return (
      record && !record.simulated && record.config.nodes === 1 && runningProcess(clusterPaths(name).pid) !== undefined
    )
  })
  if (other)
    throw new Problem(
      'KN-HOST-03',
      `this machine is the node of the cluster ${other}, which is running`,
      `run \`kubernode down ${other}\` first, or use --nodes 2 or --simulated`,
    )
}

/** The machine's own address on its network; without one, the first address of the node range (which the node then gets). */
function machineAddress(config: ClusterConfig): string {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((i) => i && i.family === 'IPv4' && !i.internal && !i.address.startsWith('169.254.'))
  return found?.address ?? addressIn(config.nodeCIDR, 1)
}
