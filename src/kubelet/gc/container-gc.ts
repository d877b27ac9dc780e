import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { PodState } from '../runtime-state/pod-state.ts'

/** Of each container of a living pod, so many ended ones are kept: for `kubectl logs --previous` and the last state. */
const endedPerContainer = 1

/** Which of a pod's ended containers and old sandboxes are of no use any more. Pure. */
export function uselessOf(state: PodState): {
  readonly containers: readonly string[]
  readonly sandboxes: readonly string[]
} {
  const seen = new Map<string, number>()
  const containers: string[] = []
  for (const { id, name, phase } of state.containers) {
    if (phase === 'running' || phase === 'unknown') continue
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    // The newest one is what the status shows, whatever its state.
    const newest = state.containers.find((one) => one.name === name)?.id === id
    if (!newest && count > endedPerContainer) containers.push(id)
  }
  const kept = new Set(state.containers.filter(({ id }) => !containers.includes(id)).map(({ sandboxId }) => sandboxId))
  const sandboxes = state.sandboxes
    .slice(1)
    .filter(({ id, ready }) => !ready && !kept.has(id))
    .map(({ id }) => id)
  return { containers, sandboxes }
}

/** Removes them. */
export async function collectEnded(runtime: ContainerRuntime, pods: readonly PodState[]): Promise<void> {
  for (const state of pods) {
    const { containers, sandboxes } = uselessOf(state)
    for (const id of containers) await runtime.removeContainer(id)
    for (const id of sandboxes) await runtime.removeSandbox(id)
  }
}
