import { isNotFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'
import { timestamp, uidOf } from '../../client/object.ts'
import { isTerminal, podCondition } from './pod.ts'

/** Why a pod is made to go, before its time. */
export interface Disruption {
  /** 'DeletionByTaintManager', 'DeletionByPodGC' … */
  readonly reason: string
  readonly message: string
}

/** Says on the pod why it has to go: Jobs tell such failures from the pod's own by it. `failed`: nobody else will end the pod, so it counts as failed now. */
export async function markDisrupted(
  client: Client,
  pod: Frozen<Pod>,
  { reason, message }: Disruption,
  options: { readonly nowMs: number; readonly failed?: boolean },
): Promise<void> {
  const known = podCondition(pod, 'DisruptionTarget')
  const marked = known?.status === 'True' && known.reason === reason
  const failed = options.failed && !isTerminal(pod)
  if (marked && !failed) return
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime: timestamp(options.nowMs),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  }
  const status = { ...(failed && { phase: 'Failed' }), conditions: [condition] }
  try {
    await client.patch(
      pods,
      keyOf(pod),
      { metadata: { uid: uidOf(pod) }, status },
      { type: 'strategic', subresource: 'status' },
    )
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Deletes the pod unless it is gone, or is another one by now. */
export async function deletePod(client: Client, pod: Frozen<Pod>, gracePeriodSeconds?: number): Promise<void> {
  try {
    await client.delete(pods, keyOf(pod), {
      uid: uidOf(pod),
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
