import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, msOf, uidOf } from '../../client/object.ts'
import { isActive, isReady, readySinceMs } from '../framework/pod.ts'

type FrozenPod = Frozen<Pod>

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost'
const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * The pods in the order in which they are given up when there are too many: those that serve least first, then the cheapest, then those on nodes
 * with many of their siblings (`related`), then the youngest, roughly. Ages are compared by their logarithm, so that not always the youngest goes.
 */
export function rankForDeletion(pods: readonly FrozenPod[], related: readonly FrozenPod[], nowMs: number): FrozenPod[] {
  const onNode = new Map<string, number>()
  for (const pod of related) if (isActive(pod)) onNode.set(nodeOf(pod), (onNode.get(nodeOf(pod)) ?? 0) + 1)
  const crowd = (pod: FrozenPod) => onNode.get(nodeOf(pod)) ?? 0
  return [...pods].sort(
    (a, b) =>
      Number(nodeOf(a) !== '') - Number(nodeOf(b) !== '') ||
      (phaseRank[a.status?.phase ?? ''] ?? 0) - (phaseRank[b.status?.phase ?? ''] ?? 0) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      crowd(b) - crowd(a) ||
      byReadyTime(a, b, nowMs) ||
      restarts(b) - restarts(a) ||
      sidecarRestarts(b) - sidecarRestarts(a) ||
      byAge(createdMs(a), createdMs(b), [a, b], nowMs),
  )
}

const nodeOf = (pod: FrozenPod): string => pod.spec?.nodeName ?? ''

const createdMs = (pod: FrozenPod): number =>
  pod.metadata.creationTimestamp ? msOf(pod.metadata.creationTimestamp) : Infinity

/** What it costs to give the pod up, by its annotation; one that is no 32-bit integer counts as 0. */
function deletionCost(pod: FrozenPod): number {
  const text = annotationsOf(pod)[costAnnotation] ?? '0'
  const cost = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0
  return Math.abs(cost) < 2 ** 31 ? cost : 0
}

function byReadyTime(a: FrozenPod, b: FrozenPod, nowMs: number): number {
  const [x, y] = [readySinceMs(a), readySinceMs(b)]
  if (x === undefined || y === undefined || x === y) return 0
  return byAge(x, y, [a, b], nowMs)
}

/** Negative when `a` is younger by an order of two; of one order, the UID decides, which is as good as chance. */
function byAge(a: number, b: number, pods: readonly [FrozenPod, FrozenPod], nowMs: number): number {
  if (a === b) return 0
  const order = (ms: number) => (nowMs - ms > 0 ? Math.floor(Math.log2((nowMs - ms) * 1e6)) : -1)
  return order(a) - order(b) || (uidOf(pods[0]) < uidOf(pods[1]) ? -1 : 1)
}

const restarts = (pod: FrozenPod): number =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))

function sidecarRestarts(pod: FrozenPod): number {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  )
  return Math.max(
    0,
    ...(pod.status?.initContainerStatuses ?? [])
      .filter(({ name }) => sidecars.has(name))
      .map(({ restartCount }) => restartCount),
  )
}
