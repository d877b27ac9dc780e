import type { Container, PodSpec } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'

/** How amounts of resources are summed, in whichever form they are kept. */
export interface ResourceSums<A> {
  /** Nothing of anything. */
  readonly none: () => A
  /** What a container counts for: a value of its own, since others are added to it. */
  readonly of: (container: Frozen<Container>) => A
  /** Adds `by` to `to`, in place. */
  readonly add: (to: A, by: A) => void
  /** Raises each amount of `to` to at least that of `other`, in place. */
  readonly raise: (to: A, other: A) => void
}

/**
 * What a Pod's containers need at their most: containers and sidecars all together, or an init container beside the sidecars that started before it,
 * whichever is more of each resource. What is set for the Pod as a whole, and its overhead, are not in it.
 */
export function resourcePeak<A>(
  spec: Pick<Frozen<PodSpec>, 'containers' | 'initContainers'>,
  { none, of, add, raise }: ResourceSums<A>,
): A {
  const total = none()
  for (const container of spec.containers ?? []) add(total, of(container))
  const sidecars = none()
  const starting = none()
  for (const container of spec.initContainers ?? []) {
    const own = of(container)
    if (container.restartPolicy === 'Always') {
      add(total, own)
      add(sidecars, own)
      raise(starting, sidecars)
    } else {
      add(own, sidecars)
      raise(starting, own)
    }
  }
  raise(total, starting)
  return total
}
