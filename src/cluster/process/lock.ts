import { linkSync, rmSync } from 'node:fs'
import { clusterPaths } from '../paths.ts'
import { Problem } from '../problem.ts'
import { runningProcess, writeProcessFile } from './child.ts'

/** Does work on a cluster that no other command may do at the same time. A lock whose holder has ended does not count. */
export async function withClusterLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Beside the cluster's folder, which `delete` removes.
  const file = `${clusterPaths(name).run}.lock`
  take(name, file)
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

/** A link is made by one of those who try at the same time; looking first and writing then would let both in. */
function take(name: string, file: string): void {
  const own = `${file}.${process.pid}`
  writeProcessFile(own, process.pid)
  try {
    while (!linked(own, file)) {
      const holder = runningProcess(file)
      if (holder !== undefined)
        throw new Problem(
          'KN-CLUSTER-05',
          `another command (process ${holder}) is working on the cluster ${name}`,
          'wait for it to end and try again',
        )
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

function linked(own: string, file: string): boolean {
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
