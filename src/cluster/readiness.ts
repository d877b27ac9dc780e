import { hostname } from 'node:os'
import { join } from 'node:path'
import { leases, nodes } from '../api/generated/resources.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { adminClient } from './admin.ts'
import { readFileIfThere } from './files.ts'
import { clusterPaths } from './paths.ts'
import { exitCodes, Problem } from './problem.ts'
import { runningProcess } from './process/child.ts'
import { nodePlans, type ClusterRecord } from './record.ts'

const pollMs = 20

/** Waits until the API server says that it is ready. `exited` is the process' end, when it was started here. */
export async function waitForApi(
  name: string,
  timeoutMs: number,
  deps: Deps,
  exited: Promise<number> | undefined,
): Promise<Client> {
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
      if (deps.clock.now() > untilMs)
        throw timedOut(name, `the API server does not answer (${(error as Error).message})`, timeoutMs)
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
export async function waitForNodes(
  { record, timeoutMs, sinceMs }: NodesWanted,
  client: Client,
  deps: Deps,
): Promise<void> {
  const wanted = nodePlans(record, hostname()).map(({ name }) => name)
  const untilMs = deps.clock.now() + timeoutMs
  for (;;) {
    const ready = await readyNodes(client, sinceMs)
    const missing = wanted.filter((name) => !ready.has(name))
    if (missing.length === 0) return
    if (runningProcess(clusterPaths(record.config.name).pid) === undefined) throw daemonEnded(record.config.name)
    if (deps.clock.now() > untilMs)
      throw timedOut(
        record.config.name,
        `not Ready: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`,
        timeoutMs,
      )
    await deps.clock.sleep(pollMs)
  }
}

/** The names of nodes that are Ready and have renewed their Lease since then. */
async function readyNodes(client: Client, sinceMs: number): Promise<Set<string | undefined>> {
  const alive = await client.list(leases, { namespace: 'kube-node-lease' })
  const heard = new Set(
    alive.items.filter(({ spec }) => Date.parse(spec?.renewTime ?? '') >= sinceMs).map(({ metadata }) => metadata.name),
  )
  const { items } = await client.list(nodes)
  return new Set(
    items
      .filter(
        ({ metadata, status }) =>
          heard.has(metadata.name ?? '') && status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
      )
      .map(({ metadata }) => metadata.name),
  )
}

function daemonEnded(name: string): Problem {
  const log = join(clusterPaths(name).logs, 'kubernode.log')
  const last = (readFileIfThere(log) ?? '').trim().split('\n').slice(-3).join('\n    ')
  return new Problem(
    'KN-CLUSTER-03',
    `the cluster's process ended; its last words:\n    ${last}`,
    `read ${log}, then run \`kubernode up ${name}\` again`,
  )
}

const timedOut = (name: string, why: string, timeoutMs: number) =>
  new Problem(
    'KN-CLUSTER-02',
    `the cluster is not ready after ${timeoutMs / 1000} s: ${why}`,
    `look with \`kubernode status ${name}\` and \`kubernode logs -n ${name}\`; it is kept for inspection`,
    { exitCode: exitCodes.timeout },
  )
