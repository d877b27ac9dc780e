import { rmSync } from 'node:fs'
import { clusterPaths } from '../paths.ts'
import { Problem } from '../problem.ts'
import { runningProcess, writeProcessFile } from './child.ts'

/** Does work on a cluster that no other command may do at the same time. A lock whose holder has ended does not count. */
export async function withClusterLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Beside the cluster's folder, which `delete` removes.
  const file = `${clusterPaths(name).run}.lock`
  const holder = runningProcess(file)
  if (holder !== undefined && holder !== process.pid)
    throw new Problem(
      'KN-CLUSTER-05',
      `another command (process ${holder}) is working on the cluster ${name}`,
      'wait for it to end and try again',
    )
  writeProcessFile(file, process.pid)
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}
