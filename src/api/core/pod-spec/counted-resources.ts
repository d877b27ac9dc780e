import type { Container, ContainerStatus, Pod } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'

type ResourceList = Readonly<Record<string, string>> | undefined

/** A Pod, or only its spec where no resize is to be looked for. */
export type PodResources = Pick<Frozen<Pod>, 'spec' | 'status'>

/**
 * Which lists a container of the Pod counts with: of each resource the largest amount in any of them. Usually that is what it asks for. While it is being
 * resized its status still has what it was granted and what it holds, and the node has to have room for either; a resize that the node can never
 * grant does not count.
 */
export function countedResources(
  { spec, status }: PodResources,
  part: 'requests' | 'limits',
): (container: Frozen<Container>) => readonly ResourceList[] {
  const asked = (container: Frozen<Container>) => container.resources?.[part]
  const told = toldResources(status)
  if (told.size === 0) return (container) => [asked(container)]
  const refused = status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  return (container) => {
    const held = told.get(container.name)
    // Init containers that end are not resized.
    const goesOn = container.restartPolicy === 'Always' || !spec?.initContainers?.includes(container)
    if (!held || !goesOn) return [asked(container)]
    const lists = part === 'requests' ? [held.resources?.requests, held.allocatedResources] : [held.resources?.limits]
    return refused ? lists : [asked(container), ...lists]
  }
}

function toldResources(status: PodResources['status']): ReadonlyMap<string, Frozen<ContainerStatus>> {
  const told = new Map<string, Frozen<ContainerStatus>>()
  for (const list of [status?.containerStatuses, status?.initContainerStatuses])
    for (const container of list ?? []) if (container.resources) told.set(container.name, container)
  return told
}
