import { join } from 'node:path'
import type { Deps } from '../base/deps.ts'
import type { ClusterConfig } from './config/settings.ts'
import { clusterPaths } from './paths.ts'
import { endProcess, runningProcess, startDetached } from './process/child.ts'

/** The program that runs now: further processes of the cluster are the same one. */
export const entryPoint = process.argv[1]!

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
const nodeFlags = ({ nodes }: ClusterConfig) => [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=16',
  ...(nodes <= boundedNodesMax ? ['--max-old-space-size=2000'] : []),
]
const boundedNodesMax = 50

/** How long the process may take to end by itself. */
const stopGraceMs = 20_000

/** Ends the cluster's process. Containers go on. */
export async function stopDaemon(name: string, deps: Deps): Promise<void> {
  await endProcess(clusterPaths(name).pid, deps.clock, stopGraceMs)
}
