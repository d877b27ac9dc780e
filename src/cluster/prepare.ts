/** What is done before a cluster's process is started: what it will be like, whether it can be, its files. */
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Deps } from '../base/deps.ts'
import { settings, type ClusterConfig } from './config/settings.ts'
import { ensureFolder, writeFileAtomic } from './files.ts'
import { machineAddress } from './host/address.ts'
import { portIsFree } from './host/checks.ts'
import {
  kubeconfigPath,
  kubeconfigText,
  mergeKubeconfig,
  removeFromKubeconfig,
  type KubeconfigEntry,
} from './kubeconfig/kubeconfig.ts'
import { clusterPaths } from './paths.ts'
import { ensureClusterPki, type ClusterPki } from './pki/cluster-pki.ts'
import { exitCodes, Problem } from './problem.ts'
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
  // Whole, because the command that deletes the cluster may be typed in another folder.
  const path = resolve(kubeconfigPath(kubeconfig ?? there?.kubeconfig))
  return {
    config,
    simulated,
    advertiseAddress: simulated
      ? config.address
      : config.nodes > 1
        ? addressIn(config.nodeCIDR, 1)
        : // Without an address the node gets the first of its range.
          (machineAddress() ?? addressIn(config.nodeCIDR, 1)),
    kubeconfig: path,
    previousContext: there?.kubeconfig === path ? there.previousContext : '',
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
  const there = readRecord(config.name)
  if (there && there.kubeconfig !== record.kubeconfig)
    await removeFromKubeconfig(there.kubeconfig, entry.name, there.previousContext)
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

/** Fails when somebody else holds the API server's port: before anything is made. */
export async function requirePort({ name, address, port }: ClusterConfig): Promise<void> {
  const holder = clusterNames().find(
    (cluster) => runningProcess(clusterPaths(cluster).pid) !== undefined && readRecord(cluster)?.config.port === port,
  )
  if (holder === name || (await portIsFree(port, address))) return
  throw new Problem(
    'KN-PORT-01',
    `${address}:${port} is in use by ${holder === undefined ? 'another program' : `the cluster ${holder}`}`,
    `choose another port: kubernode up ${name} --port ${port === portMax ? port - 1 : port + 1}`,
  )
}
const portMax = 65535

/** Settings of a cluster that cannot change as long as it lives: addresses were given from them, names made, data stored. */
const lasting = ['podCIDR', 'serviceCIDR', 'nodeCIDR', 'clusterDomain', 'store', 'nodes', 'simulated'] as const

/** Fails when an existing cluster would have to change what cannot be changed under it. */
export function refuseChanges(config: ClusterConfig): void {
  const there = readRecord(config.name)?.config
  const field = there && lasting.find((each) => there[each] !== config[each])
  if (!field) return
  const { path } = settings.find((setting) => setting.field === field)!
  throw new Problem(
    'KN-CONFIG-02',
    `the cluster ${config.name} exists with ${path} ${there[field]}, and ${config[field]} is asked for: this cannot be changed in place`,
    `use the old value, or another name, or run \`kubernode delete ${config.name}\` first`,
    { exitCode: exitCodes.usage },
  )
}

/** Whether a cluster runs with settings that are no longer the wanted ones: its process must start anew. */
export function runsOtherwise(config: ClusterConfig): boolean {
  const there = readRecord(config.name)?.config
  return (
    there !== undefined &&
    runningProcess(clusterPaths(config.name).pid) !== undefined &&
    settings.some(({ field }) => there[field] !== config[field])
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
