import { pods } from '../../api/generated/resources.ts'
import type { Pod, PodTemplateSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { controllerOf, isBeingDeleted, labelsOf, timestamp, uidOf } from '../../client/object.ts'
import { candidatesOf, ownOf } from '../framework/candidates.ts'
import { conditionOf, withCondition, withoutCondition } from '../framework/conditions.ts'
import { withoutZeros } from '../framework/equality.ts'
import { isNamespaceTerminating, messageOf } from '../framework/context.ts'
import { requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { isActive, isAvailable, isReady, isTerminating, nextAvailableInMs, podFromTemplate } from '../framework/pod.ts'
import { selectsMap } from '../../api/selector/label-selector.ts'
import { rankForDeletion } from './deletion-ranking.ts'

type FrozenPod = Frozen<Pod>

/** What ReplicaSets and ReplicationControllers have in common: so many pods of one template. */
export interface PodSet {
  readonly replicas: number
  readonly minReadySeconds: number
  readonly template: Frozen<PodTemplateSpec>
  matches(labels: Readonly<Record<string, string>>): boolean
  readonly status: Frozen<PodSetStatus> | undefined
  /** Pods that are going are counted in the status too. */
  readonly countsTerminating: boolean
}

/** The status of both. */
export interface PodSetStatus {
  replicas: number
  fullyLabeledReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  terminatingReplicas?: number
  observedGeneration?: number
  conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[]
}

/** What to change. */
export interface PodSetPlan {
  readonly create: number
  readonly remove: readonly FrozenPod[]
}

/** No more pods are made or deleted in one go. */
const burst = 500
const nothing: PodSetPlan = { create: 0, remove: [] }

/** Brings the number of pods to what is asked for. */
export async function reconcilePodSet<O extends KubernetesObject>(
  owner: Frozen<O>,
  resource: Resource<O>,
  set: PodSet,
  c: Context<O>,
): Promise<Outcome> {
  // Asked before the cache is read: pods that it does not show yet would be created twice.
  const caughtUp = c.caughtUp(owner)
  const active = await c.claim(owner, pods, (pod) => set.matches(labelsOf(pod)), {
    candidates: candidatesOf(c.of(pods), owner).filter(isActive),
  })
  const terminating = ownOf(c.of(pods), owner).filter((pod) => isTerminating(pod) && set.matches(labelsOf(pod)))
  const plan =
    caughtUp && !isBeingDeleted(owner) ? decide(set, active, relatedPods(owner, resource, c), c.clock.now()) : nothing

  let failure: unknown
  try {
    await c.createPods(
      owner,
      Array.from({ length: plan.create }, () => podFromTemplate(resource, owner, set.template)),
    )
    await c.deletePods(owner, plan.remove)
  } catch (error) {
    // Thrown on below, when the status has told of it. In a namespace that goes, every attempt would fail.
    if (!isNamespaceTerminating(error)) failure = error
  }
  const nowMs = c.clock.now()
  await c.writeStatus(
    owner,
    statusOf({ set, generation: owner.metadata?.generation, active, terminating, failure, nowMs }),
  )
  if (failure !== undefined) throw failure
  return requeueAfter(nextAvailableInMs(active, set.minReadySeconds, nowMs))
}

/** What to change, from what was seen. */
export function decide(
  set: Pick<PodSet, 'replicas'>,
  active: readonly FrozenPod[],
  related: readonly FrozenPod[],
  nowMs: number,
): PodSetPlan {
  const missing = set.replicas - active.length
  if (missing >= 0) return { create: Math.min(missing, burst), remove: [] }
  return { create: 0, remove: rankForDeletion(active, related, nowMs).slice(0, Math.min(-missing, burst)) }
}

/** The pods of all sets with the same owner: of all revisions of a Deployment. */
function relatedPods<O extends KubernetesObject>(owner: Frozen<O>, resource: Resource<O>, c: Context<O>): FrozenPod[] {
  const above = controllerOf(owner)
  const sets = above ? c.of(resource).ownedBy(above.uid) : [owner]
  return sets.flatMap((set) => c.of(pods).ownedBy(uidOf(set)))
}

interface Seen {
  readonly set: PodSet
  readonly generation: number | undefined
  readonly active: readonly FrozenPod[]
  readonly terminating: readonly FrozenPod[]
  readonly failure: unknown
  readonly nowMs: number
}

/** What the status says of what was seen. */
export function statusOf({ set, generation, active, terminating, failure, nowMs }: Seen): Frozen<PodSetStatus> {
  const wanted = set.template.metadata?.labels ?? {}
  const fullyLabeled =
    Object.keys(wanted).length === 0 ? active : active.filter((pod) => selectsMap(wanted, labelsOf(pod)))
  const conditions = failureCondition(set, active.length, failure, nowMs)
  const { conditions: _, ...kept } = set.status ?? {}
  const status: Frozen<PodSetStatus> = {
    ...kept,
    replicas: active.length,
    fullyLabeledReplicas: fullyLabeled.length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.minReadySeconds, nowMs)).length,
    ...(set.countsTerminating && { terminatingReplicas: terminating.length }),
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions,
  }
  return withoutZeros(status, ['replicas', 'terminatingReplicas'])
}

function failureCondition({ status, replicas }: PodSet, active: number, failure: unknown, nowMs: number) {
  const type = 'ReplicaFailure'
  const known = status?.conditions
  if (failure === undefined) return withoutCondition(known, type)
  if (conditionOf(known, type)) return [...(known ?? [])]
  const reason = active < replicas ? 'FailedCreate' : 'FailedDelete'
  return withCondition(known, {
    type,
    status: 'True',
    reason,
    message: messageOf(failure),
    lastTransitionTime: timestamp(nowMs),
  })
}
