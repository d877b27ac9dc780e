import type { Deps } from '../base/deps.ts'
import { connectCri } from '../runtime/cri/cri-runtime.ts'
import type { NodePaths } from './paths.ts'
import { containerdPidFile } from './containerd/containerd.ts'
import { runningProcess } from './process/child.ts'

/** How long a container may take to end when its cluster goes down. */
const graceSeconds = 10

/** Stops every container of a node, then gives their networks and storage back. */
export async function stopPods(paths: NodePaths, deps: Deps): Promise<void> {
  if (runningProcess(containerdPidFile(paths)) === undefined) return
  const runtime = await connectCri({ ...deps, socket: paths.containerdSocket })
  try {
    const containers = await runtime.listContainers()
    await Promise.all(containers.map(({ id }) => runtime.stopContainer(id, graceSeconds)))
    await Promise.all((await runtime.listSandboxes()).map(({ id }) => runtime.stopSandbox(id)))
  } finally {
    await runtime.close()
  }
}
