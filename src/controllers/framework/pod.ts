import type { Pod, PodCondition, PodTemplateSpec } from '../../api/generated/types/core-v1.ts'
import type { ObjectMeta } from '../../api/generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { controllerReference, isBeingDeleted, msOf, nameOf, namespaceOf } from '../../client/object.ts'
import { conditionOf } from './conditions.ts'

type FrozenPod = Frozen<Pod>

/** The pod ran to its end. */
export const isTerminal = (pod: FrozenPod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** The pod counts: it has not ended and is not being deleted. */
export const isActive = (pod: FrozenPod): boolean => !isTerminal(pod) && !isBeingDeleted(pod)

/** The pod is on its way out, and still there. */
export const isTerminating = (pod: FrozenPod): boolean => !isTerminal(pod) && isBeingDeleted(pod)

/** The pod's condition of a type. */
export const podCondition = (pod: FrozenPod, type: string): Frozen<PodCondition> | undefined =>
  conditionOf(pod.status?.conditions, type)

/** Whether a Pod is ready. */
export const isReady = (pod: FrozenPod): boolean => podCondition(pod, 'Ready')?.status === 'True'

/** Since when the pod is ready; undefined when it is not. */
export function readySinceMs(pod: FrozenPod): number | undefined {
  const condition = podCondition(pod, 'Ready')
  if (condition?.status !== 'True') return undefined
  return condition.lastTransitionTime ? msOf(condition.lastTransitionTime) : 0
}

/** In how many milliseconds the pod, ready since long enough then, is available: 0 when it is now; undefined when it is not ready. */
export function availableInMs(pod: FrozenPod, minReadySeconds: number, nowMs: number): number | undefined {
  const since = readySinceMs(pod)
  if (since === undefined) return undefined
  if (minReadySeconds === 0) return 0
  if (since === 0) return undefined
  return Math.max(0, since + minReadySeconds * 1000 - nowMs)
}

/** The pod has been ready for long enough. */
export const isAvailable = (pod: FrozenPod, minReadySeconds: number, nowMs: number): boolean =>
  availableInMs(pod, minReadySeconds, nowMs) === 0

/** When the next of these pods becomes available. */
export function nextAvailableInMs(
  pods: readonly FrozenPod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  let next: number | undefined
  for (const pod of pods) {
    const inMs = availableInMs(pod, minReadySeconds, nowMs)
    if (inMs !== undefined && inMs > 0 && (next === undefined || inMs < next)) next = inMs
  }
  return next
}

/** What a generated name may be at most, before its random end. */
const namePrefixMax = 248

/** A pod from a template, managed by `owner`; its name is generated when `name` is absent. */
export function podFromTemplate(
  resource: Resource,
  owner: Frozen<KubernetesObject>,
  template: Frozen<PodTemplateSpec>,
  name?: string,
): Frozen<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const metadata: Frozen<ObjectMeta> = {
    ...(name === undefined ? { generateName: `${nameOf(owner).slice(0, namePrefixMax)}-` } : { name }),
    namespace: namespaceOf(owner),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(finalizers && { finalizers }),
    ownerReferences: [controllerReference(resource, owner)],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, ...(template.spec && { spec: template.spec }) }
}
