import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { msOf, nameOf, timestamp } from '../../client/object.ts'
import { conditionOf, withoutCondition } from '../framework/conditions.ts'
import { withoutZeros } from '../framework/equality.ts'
import { limitsOf, totalAvailable, totalWanted } from './size.ts'

type Set = Frozen<ReplicaSet>
type Condition = Frozen<DeploymentCondition>

/** No deadline, as upstream's clients write it. */
const noDeadline = 2147483647

/** Progress is watched. */
export function hasDeadline(deployment: Frozen<Deployment>): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds
  return seconds !== undefined && seconds !== noDeadline
}

/** A condition that holds from now on. */
export const conditionAt = (
  nowMs: number,
  fields: { type: string; status: string; reason: string; message: string },
): Condition => ({ ...fields, lastUpdateTime: timestamp(nowMs), lastTransitionTime: timestamp(nowMs) })

/** Puts a condition in: nothing changes where status and reason are the same, and where only the reason differs the time of transition stays. */
export function set(conditions: readonly Condition[] | undefined, condition: Condition): Condition[] {
  const old = conditionOf(conditions, condition.type)
  if (old && old.status === condition.status && old.reason === condition.reason) return [...(conditions ?? [])]
  const next =
    old && old.status === condition.status && old.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: old.lastTransitionTime }
      : condition
  return [...withoutCondition(conditions, condition.type), next]
}

/** The counts, and whether enough pods are available. */
export function statusOf(
  deployment: Frozen<Deployment>,
  sets: readonly Set[],
  current: Set | undefined,
  nowMs: number,
): Frozen<DeploymentStatus> {
  const { replicas, unavailable } = limitsOf(deployment)
  const available = totalAvailable(sets)
  const sum = (count: (rs: Set) => number | undefined) => sets.reduce((total, rs) => total + (count(rs) ?? 0), 0)
  const enough = available >= replicas - unavailable
  const condition = enough
    ? conditionAt(nowMs, {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      })
    : conditionAt(nowMs, {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      })
  // Only when all ReplicaSets that were looked at tell is the sum right.
  const terminating = sets.every((rs) => rs.status?.terminatingReplicas !== undefined || !rs.status?.observedGeneration)
    ? sum((rs) => rs.status?.terminatingReplicas)
    : undefined
  const status: Frozen<DeploymentStatus> = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum((rs) => rs.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum((rs) => rs.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, totalWanted(sets) - available),
    ...(terminating !== undefined && { terminatingReplicas: terminating }),
    ...(deployment.status?.collisionCount !== undefined && { collisionCount: deployment.status.collisionCount }),
    conditions: set(deployment.status?.conditions, condition),
  }
  return withoutZeros(status, ['terminatingReplicas', 'collisionCount'])
}

/** The status with what it says of the rollout: does it progress, is it done, did it run out of time. */
export function rolloutStatusOf(
  deployment: Frozen<Deployment>,
  sets: readonly Set[],
  current: Set | undefined,
  nowMs: number,
): Frozen<DeploymentStatus> {
  const status = statusOf(deployment, sets, current, nowMs)
  const progressing = progressOf(deployment, status, current, nowMs)
  return { ...status, conditions: withFailure(progressing, sets, current) }
}

/** All pods are of the current template, all are available, and none of an old one is left. */
export function isComplete(deployment: Frozen<Deployment>, status: Frozen<DeploymentStatus> | undefined): boolean {
  const replicas = deployment.spec?.replicas ?? 1
  return (
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function progressOf(
  deployment: Frozen<Deployment>,
  status: Frozen<DeploymentStatus>,
  current: Set | undefined,
  nowMs: number,
): readonly Condition[] {
  const conditions = status.conditions ?? []
  if (!hasDeadline(deployment)) return withoutCondition(conditions, 'Progressing')
  const old = conditionOf(deployment.status?.conditions, 'Progressing')
  // One ReplicaSet is active and it was complete once: this is no rollout, but a pod that came or went.
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && old?.reason === 'NewReplicaSetAvailable')
    return conditions
  const what = current ? `ReplicaSet "${nameOf(current)}"` : `Deployment "${nameOf(deployment)}"`
  const condition = (truth: string, reason: string, message: string) =>
    conditionAt(nowMs, { type: 'Progressing', status: truth, reason, message })
  if (isComplete(deployment, status))
    return set(conditions, condition('True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`))
  if (progressed(deployment, status)) {
    const next = condition('True', 'ReplicaSetUpdated', `${what} is progressing.`)
    const kept =
      old?.status === 'True' && old.lastTransitionTime !== undefined
        ? { ...next, lastTransitionTime: old.lastTransitionTime }
        : next
    return [...withoutCondition(conditions, 'Progressing'), kept]
  }
  if (isTimedOut(deployment, nowMs))
    return set(conditions, condition('False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`))
  return conditions
}

/** More new pods, fewer old ones, or more that serve than at the last look. */
function progressed(deployment: Frozen<Deployment>, status: Frozen<DeploymentStatus>): boolean {
  const before = deployment.status ?? {}
  const old = (of: Frozen<DeploymentStatus>) => (of.replicas ?? 0) - (of.updatedReplicas ?? 0)
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function isTimedOut(deployment: Frozen<Deployment>, nowMs: number): boolean {
  const condition = conditionOf(deployment.status?.conditions, 'Progressing')
  if (!hasDeadline(deployment) || !condition) return false
  if (condition.reason === 'NewReplicaSetAvailable') return false
  if (condition.reason === 'ProgressDeadlineExceeded') return true
  return deadlineMs(deployment, condition) < nowMs
}

const deadlineMs = (deployment: Frozen<Deployment>, condition: Condition): number =>
  (condition.lastUpdateTime ? msOf(condition.lastUpdateTime) : 0) +
  (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000

/** In how many milliseconds to look whether a rollout that does not move has run out of time; undefined when there is none. */
export function deadlineInMs(
  deployment: Frozen<Deployment>,
  status: Frozen<DeploymentStatus>,
  nowMs: number,
): number | undefined {
  const condition = conditionOf(status.conditions, 'Progressing')
  if (!hasDeadline(deployment) || !condition) return undefined
  if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined
  // A second more, so that the clock is surely past the deadline then.
  return Math.max(0, deadlineMs(deployment, condition) - nowMs) + 1000
}

/** The current ReplicaSet's failure to make pods, or an old one's. */
function withFailure(
  conditions: readonly Condition[],
  sets: readonly Set[],
  current: Set | undefined,
): readonly Condition[] {
  const failureOf = (rs: Set | undefined) => conditionOf(rs?.status?.conditions, 'ReplicaFailure')
  const failure = failureOf(current) ?? sets.map(failureOf).find((found) => found !== undefined)
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure')
  const { lastTransitionTime } = failure
  return set(conditions, {
    ...failure,
    ...(lastTransitionTime !== undefined && { lastUpdateTime: lastTransitionTime }),
  })
}
