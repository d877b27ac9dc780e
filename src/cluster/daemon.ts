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
    env: { ...allocatorSettings, ...process.env },
  })
  return { started: true, exited }
}

/**
 * The C library's allocator: two arenas instead of eight for each core, none of which ever gives anything back, and free memory at the end of the heap goes
 * back to the kernel. Naming one bound stops it from raising the others by itself; blocks of requests and answers stay below this one.
 */
const allocatorSettings = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '1048576',
  MALLOC_MMAP_THRESHOLD_: '1048576',
}

/**
 * Node's own flags for the cluster's process. A small young generation keeps an idle cluster small, and a bound makes the collector work before memory is
 * taken that is not needed; many simulated nodes need more. What the command's first line has besides, the optimizing compiler for what runs very often
 * only, is for loads: a cluster that rests all day would take twice the CPU. `gc` is for idle-memory.ts.
 */
const nodeFlags = ({ nodes }: ClusterConfig) => [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=16',
  '--expose-gc',
  ...(nodes <= boundedNodesMax ? ['--max-old-space-size=2000'] : []),
]
const boundedNodesMax = 50

/** How long the process may take to end by itself. */
const stopGraceMs = 20_000

/** Ends the cluster's process. Containers go on. */
export async function stopDaemon(name: string, deps: Deps): Promise<void> {
  await endProcess(clusterPaths(name).pid, deps.clock, stopGraceMs)
}
