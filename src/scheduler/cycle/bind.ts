import type { Frozen } from '../../api/resource.ts'
import type { Pod, PodCondition } from '../../api/generated/types/core-v1.ts'
import { pods } from '../../api/generated/resources.ts'
import { isNotFound } from '../../api/errors/api-error.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Candidate } from './preemption.ts'

const time = (clock: Clock) => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
const keyOf = ({ metadata }: Frozen<Pod>) => ({ namespace: metadata.namespace, name: metadata.name ?? '' })

/** Tells the API server the decision. */
export async function bind(client: Client, { pod }: PodInfo, node: string): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  await client.createSubresource(pods, keyOf(pod), 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace, name, uid },
    target: { kind: 'Node', name: node },
  })
}

/** Writes why a Pod has no node, and which one was promised to it, when that differs from what is there. */
export async function tellFailure(
  client: Client,
  clock: Clock,
  pod: Frozen<Pod>,
  told: { reason: string; message: string; nominatedNodeName?: string | undefined },
): Promise<void> {
  const there = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  const nominated =
    told.nominatedNodeName !== undefined && told.nominatedNodeName !== (pod.status?.nominatedNodeName ?? '')
  const same = there?.status === 'False' && there.reason === told.reason && there.message === told.message
  if (same && !nominated) return
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason: told.reason,
    message: told.message,
    lastTransitionTime: there?.status === 'False' ? (there.lastTransitionTime ?? time(clock)) : time(clock),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  }
  const status = { conditions: [condition], ...(nominated && { nominatedNodeName: told.nominatedNodeName || null }) }
  await client.patch(pods, keyOf(pod), { status }, { type: 'strategic', subresource: 'status' }).catch(unlessGone)
}

/** Removes the victims of a preemption, saying why in their conditions. */
export async function evict(client: Client, clock: Clock, { victims }: Candidate, scheduler: string): Promise<void> {
  for (const { pod } of victims) {
    if (pod.metadata.deletionTimestamp) continue
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${scheduler}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: time(clock),
    }
    await client
      .patch(pods, keyOf(pod), { status: { conditions: [condition] } }, { type: 'strategic', subresource: 'status' })
      .catch(unlessGone)
    await client.delete(pods, keyOf(pod)).catch(unlessGone)
  }
}

/** A Pod that is gone needs nothing more. */
function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error
}
