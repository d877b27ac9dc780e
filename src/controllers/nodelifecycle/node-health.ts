import type { Lease } from '../../api/generated/types/coordination-v1.ts'
import type { Node, NodeCondition } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { msOf, nameOf, timestamp } from '../../client/object.ts'
import { conditionOf } from '../framework/conditions.ts'

type Condition = Frozen<NodeCondition>

interface Sign {
  heartbeat: string | undefined
  renewTime: string
  seenMs: number
}

/** The conditions that nobody can vouch for when a kubelet is silent. */
const conditionTypes = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** When each node last gave a sign of life. Measured on this clock only: nodes' clocks may be wrong. */
export class NodeHealth {
  readonly #signs = new Map<string, Sign>()

  /** Notes what the node's status and its lease say now; gives when it last gave a sign. */
  observe(node: Frozen<Node>, lease: Frozen<Lease> | undefined, nowMs: number): number {
    const ready = conditionOf(node.status?.conditions, 'Ready')
    const heartbeat = ready && (ready.lastHeartbeatTime ?? '')
    const renewTime = lease?.spec?.renewTime ?? ''
    const known = this.#signs.get(nameOf(node))
    if (!known) {
      // A node that never said anything is measured from its creation.
      const seenMs =
        ready || renewTime !== ''
          ? nowMs
          : node.metadata.creationTimestamp
            ? msOf(node.metadata.creationTimestamp)
            : nowMs
      this.#signs.set(nameOf(node), { heartbeat, renewTime, seenMs })
      return seenMs
    }
    if (known.heartbeat !== heartbeat || renewTime > known.renewTime) known.seenMs = nowMs
    known.heartbeat = heartbeat
    if (renewTime > known.renewTime) known.renewTime = renewTime
    return known.seenMs
  }

  /** Every node gets the full time again: after all of them were silent, it was not they. */
  restart(nowMs: number): void {
    for (const sign of this.#signs.values()) sign.seenMs = nowMs
  }

  forget(name: string): void {
    this.#signs.delete(name)
  }
}

/** The conditions of a node that has been silent for too long; undefined when they say so already. */
export function silentConditions(node: Frozen<Node>, nowMs: number): Condition[] | undefined {
  const conditions = node.status?.conditions ?? []
  const now = timestamp(nowMs)
  let changed = false
  const next = conditions.map((condition): Condition => {
    if (!conditionTypes.includes(condition.type) || condition.status === 'Unknown') return condition
    changed = true
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now,
    }
  })
  for (const type of conditionTypes) {
    if (conditionOf(conditions, type)) continue
    changed = true
    next.push({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      ...(node.metadata.creationTimestamp && { lastHeartbeatTime: node.metadata.creationTimestamp }),
      lastTransitionTime: now,
    })
  }
  return changed ? next : undefined
}
