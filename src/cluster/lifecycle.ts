import { hostname, networkInterfaces } from 'node:os'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Deps } from '../base/deps.ts'
import { leases, nodes } from '../api/generated/resources.ts'
import type { Client } from '../client/client.ts'
import type { ClusterConfig } from './config/settings.ts'
import { ensureFolder, readFileIfThere, writeFileAtomic } from './files.ts'
import { portIsFree } from './host/checks.ts'
import { kubeconfigPath, kubeconfigText, mergeKubeconfig, removeFromKubeconfig, type KubeconfigEntry } from './kubeconfig/kubeconfig.ts'
import { ensureClusterPki, type ClusterPki } from './pki/cluster-pki.ts'
import { clusterPaths } from './paths.ts'
import { exitCodes, Problem } from './problem.ts'
import { endProcess, runningProcess, startDetached } from './process/child.ts'
import { addressIn, clusterNames, contextName, nodePlans, readRecord, writeRecord, type ClusterRecord } from './record.ts'
import { adminClient } from './admin.ts'

/** What `up` was asked for. */
export interface UpRequest extends Deps {
  readonly config: ClusterConfig
  readonly kubeconfig: string | undefined
  /** Nodes cannot run containers on this machine, or need not. */
  readonly simulated: boolean
}

/** The program that runs now: further processes of the cluster are the same one. */
const entryPoint = process.argv[1]!

/** The record of a cluster as `up` wants it: what exists keeps its nature, what is new gets this machine's address. */
export function planRecord({ config, simulated, kubeconfig }: UpRequest): ClusterRecord {
  const there = readRecord(config.name)
  return {
    config,
    simulated,
    advertiseAddress: simulated ? config.address : config.nodes > 1 ? addressIn(config.nodeCIDR, 1) : machineAddress(config),
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
  const entry: KubeconfigEntry = { name: contextName(config.name), server: `https://${config.address}:${config.port}`, ca: pki.authority.cert, user: pki.admin }
  writeFileAtomic(paths.adminKubeconfig, await kubeconfigText(entry))
  const before = await mergeKubeconfig(record.kubeconfig, entry)
  writeRecord({ ...record, previousContext: before === entry.name ? record.previousContext : before })
}

/** The cluster's certificates, made where they are missing or about to expire. With `readOnly` taken as they are, where they are. */
export function clusterPki(record: ClusterRecord, deps: Deps, { readOnly }: { readonly readOnly?: boolean } = {}): Promise<ClusterPki> {
  const { config } = record
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${config.clusterDomain}`]
  return ensureClusterPki(
    {
      folder: clusterPaths(config.name).pki,
      apiServerHosts: [...new Set([config.address, '127.0.0.1', record.advertiseAddress, addressIn(config.serviceCIDR, 1), ...names])],
      readOnly,
      nodes: record.simulated ? [] : nodePlans(record, hostname()).map(({ name, address }) => ({ name, addresses: address ? [address] : [] })),
    },
    deps,
  )
}

/** Fails when another program holds the API server's port: before anything is made. */
export async function requirePort({ name, address, port }: ClusterConfig): Promise<void> {
  if (runningProcess(clusterPaths(name).pid) !== undefined || (await portIsFree(port, address))) return
  throw new Problem('KN-PORT-01', `${address}:${port} is in use by another program`, `choose another port: kubernode up ${name} --port ${port + 1}`)
}

/** Fails when the machine is to be a node while it is one of another cluster: both would use the same links and rules. */
export function requireMachine({ config, simulated }: ClusterRecord): void {
  if (simulated || config.nodes > 1) return
  const other = clusterNames().find((name) => {
    const record = name === config.name ? undefined : readRecord(name)
    return record && !record.simulated && record.config.nodes === 1 && runningProcess(clusterPaths(name).pid) !== undefined
  })
  if (other) throw new Problem('KN-HOST-03', `this machine is the node of the cluster ${other}, which is running`, `run \`kubernode down ${other}\` first, or use --nodes 2 or --simulated`)
}

/** Starts the cluster's process unless it runs; tells whether it did. */
export function startDaemon(config: ClusterConfig): { started: boolean; exited: Promise<number> | undefined } {
  const paths = clusterPaths(config.name)
  if (runningProcess(paths.pid) !== undefined) return { started: false, exited: undefined }
  const { exited } = startDetached({
    command: process.execPath,
    args: [...nodeFlags(config), entryPoint, 'run', config.name],
    file: paths.pid,
    log: join(paths.logs, 'kubernode.log'),
  })
  return { started: true, exited }
}

/**
 * Node's own flags for the cluster's process. A small young generation keeps an idle cluster small, and a bound makes the collector work before memory is
 * taken that is not needed; many simulated nodes need more.
 */
const nodeFlags = ({ nodes }: ClusterConfig) => ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=16', ...(nodes <= boundedNodesMax ? ['--max-old-space-size=2000'] : [])]
const boundedNodesMax = 50

const pollMs = 20

/** Waits until the API server says that it is ready. `exited` is the process' end, when it was started here. */
export async function waitForApi(name: string, timeoutMs: number, deps: Deps, exited: Promise<number> | undefined): Promise<Client> {
  const client = await adminClient(name, deps)
  let ended: number | undefined
  void exited?.then((code) => (ended = code))
  const untilMs = deps.clock.now() + timeoutMs
  for (;;) {
    try {
      await client.list(nodes, { limit: 1 })
      return client
    } catch (error) {
      if (ended !== undefined || runningProcess(clusterPaths(name).pid) === undefined) throw daemonEnded(name)
      if (deps.clock.now() > untilMs) throw timedOut(name, `the API server does not answer (${(error as Error).message})`, timeoutMs)
    }
    await deps.clock.sleep(pollMs)
  }
}

/** What is waited for. */
export interface NodesWanted {
  readonly record: ClusterRecord
  readonly timeoutMs: number
  /** Nodes must have been heard of since then: what an earlier run left in the API does not count. */
  readonly sinceMs: number
}

/** Waits until every node of the plan is Ready. */
export async function waitForNodes({ record, timeoutMs, sinceMs }: NodesWanted, client: Client, deps: Deps): Promise<void> {
  const wanted = nodePlans(record, hostname()).map(({ name }) => name)
  const untilMs = deps.clock.now() + timeoutMs
  for (;;) {
    const ready = await readyNodes(client, sinceMs)
    const missing = wanted.filter((name) => !ready.has(name))
    if (missing.length === 0) return
    if (runningProcess(clusterPaths(record.config.name).pid) === undefined) throw daemonEnded(record.config.name)
    if (deps.clock.now() > untilMs) throw timedOut(record.config.name, `not Ready: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`, timeoutMs)
    await deps.clock.sleep(pollMs)
  }
}

/** The names of nodes that are Ready and have renewed their Lease since then. */
async function readyNodes(client: Client, sinceMs: number): Promise<Set<string | undefined>> {
  const alive = await client.list(leases, { namespace: 'kube-node-lease' })
  const heard = new Set(alive.items.filter(({ spec }) => Date.parse(spec?.renewTime ?? '') >= sinceMs).map(({ metadata }) => metadata.name))
  const { items } = await client.list(nodes)
  return new Set(items.filter(({ metadata, status }) => heard.has(metadata.name ?? '') && status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')).map(({ metadata }) => metadata.name))
}

/** Ends the cluster's process. Containers go on. */
export async function stopDaemon(name: string, deps: Deps): Promise<void> {
  await endProcess(clusterPaths(name).pid, deps.clock, stopGraceMs)
}

/** Removes the cluster's files and its kubeconfig entry. Nothing of it may run any more. */
export async function removeFiles(name: string, record: ClusterRecord | undefined): Promise<void> {
  const paths = clusterPaths(name)
  if (record) await removeFromKubeconfig(record.kubeconfig, contextName(name), record.previousContext)
  rmSync(paths.data, { recursive: true, force: true })
  rmSync(paths.run, { recursive: true, force: true })
}

const stopGraceMs = 20_000

function daemonEnded(name: string): Problem {
  const log = join(clusterPaths(name).logs, 'kubernode.log')
  const last = (existsSync(log) ? (readFileIfThere(log) ?? '') : '').trim().split('\n').slice(-3).join('\n    ')
  return new Problem('KN-CLUSTER-03', `the cluster's process ended; its last words:\n    ${last}`, `read ${log}, then run \`kubernode up ${name}\` again`)
}

const timedOut = (name: string, why: string, timeoutMs: number) =>
  new Problem('KN-CLUSTER-02', `the cluster is not ready after ${timeoutMs / 1000} s: ${why}`, `look with \`kubernode status ${name}\` and \`kubernode logs -n ${name}\`; it is kept for inspection`, { exitCode: exitCodes.timeout })

/** The machine's own address on its network; without one, the first address of the node range (which the node then gets). */
function machineAddress(config: ClusterConfig): string {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((i) => i && i.family === 'IPv4' && !i.internal && !i.address.startsWith('169.254.'))
  return found?.address ?? addressIn(config.nodeCIDR, 1)
}

