import { containerResources } from '../container/container-resources.ts'
import { amountsOf } from '../pod/resources.ts'
import type { AnyContainer } from '../pod/containers.ts'
import type { ContainerState } from '../runtime-state/pod-state.ts'
import type { ResizeMemory } from './resize.ts'
import { resourceOptions, type PodTask } from './services.ts'

/** A running container to be given other resources. */
export interface ContainerUpdate {
  readonly container: AnyContainer
  readonly running: ContainerState
}

/** Gives running containers other resources, those that get less first. The pod's cgroup must have room for both before, and is narrowed by the caller after. */
export async function updateContainers(
  task: PodTask,
  updates: readonly ContainerUpdate[],
  memory: ResizeMemory,
): Promise<void> {
  const { services, pod } = task
  await refuseBelowUse(task, updates, memory)
  const sorted = [...updates].sort((a, b) => growth(a, memory) - growth(b, memory))
  for (const { container, running } of sorted) {
    const wanted = containerResources(pod, container, resourceOptions(services))
    // What is no limit any more must be said: what is left out stays as it is.
    await services.runtime.updateContainerResources(running.id, {
      ...wanted,
      cpuQuota: wanted.cpuQuota || -1,
      memoryLimitInBytes: wanted.memoryLimitInBytes ?? -1,
      ...(services.host.cgroups.kind.version === 1 &&
        services.host.cgroups.kind.countsSwap && { memorySwapLimitInBytes: wanted.memorySwapLimitInBytes ?? -1 }),
    })
    memory.given.set(running.id, container.resources ?? {})
    services.state.forgetContainer(running.id)
  }
}

function growth({ container, running }: ContainerUpdate, memory: ResizeMemory): number {
  const [wanted, given] = [amountsOf(container.resources?.limits), amountsOf(memory.given.get(running.id)?.limits)]
  return Math.sign(
    (wanted['memory'] ?? Infinity) - (given['memory'] ?? Infinity) ||
      (wanted['cpu'] ?? Infinity) - (given['cpu'] ?? Infinity) ||
      0,
  )
}

/** A limit below what is in use would kill the container. */
async function refuseBelowUse(
  { services }: PodTask,
  updates: readonly ContainerUpdate[],
  memory: ResizeMemory,
): Promise<void> {
  const faults: string[] = []
  for (const { container, running } of updates) {
    const wanted = amountsOf(container.resources?.limits)['memory']
    const given = amountsOf(memory.given.get(running.id)?.limits)['memory']
    if (!wanted || wanted >= (given ?? Infinity)) continue
    const [stats] = await services.runtime.containerStats({ id: running.id })
    const used = stats?.memory?.usageBytes?.value ?? 0
    if (used >= wanted)
      faults.push(
        `attempting to set container "${container.name}" memory limit (${wanted}) below current usage (${used})`,
      )
  }
  if (faults.length > 0) throw new Error(`cannot decrease memory limits: ${faults.join(', ')}`)
}
