import type { ContainerRuntime } from '../../runtime/runtime.ts'
import { podUidLabel } from '../runtime-state/labels.ts'

/** Removes what the runtime still has of a pod that is no more. */
export async function collectPod(runtime: ContainerRuntime, uid: string): Promise<void> {
  const labels = { [podUidLabel]: uid }
  for (const { id } of await runtime.listContainers({ labels })) await runtime.removeContainer(id)
  for (const { id, state } of await runtime.listSandboxes({ labels })) {
    // A sandbox's network must be given back before it goes.
    if (state === 'SANDBOX_READY') await runtime.stopSandbox(id)
    await runtime.removeSandbox(id)
  }
}
