import type { Deployment, ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { msOf, nameOf } from '../../client/object.ts'
import { scaled } from '../framework/int-or-percent.ts'
import { countIn, desiredReplicasAnnotation, maxReplicasAnnotation } from './annotations.ts'

type Set = Frozen<ReplicaSet>

/** How many pods a Deployment may have too many and too few while it rolls. */
export interface Limits {
  readonly replicas: number
  readonly surge: number
  readonly unavailable: number
}

/** Whether Pods are replaced a few at a time. */
export const isRolling = (deployment: Frozen<Deployment>): boolean =>
  (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate'

/** Percentages as numbers: surge rounded up, unavailable down, and never both 0. */
export function limitsOf(deployment: Frozen<Deployment>): Limits {
  const replicas = deployment.spec?.replicas ?? 1
  if (!isRolling(deployment)) return { replicas, surge: 0, unavailable: 0 }
  const rolling = deployment.spec?.strategy?.rollingUpdate
  const surge = scaled(rolling?.maxSurge ?? '25%', replicas, 'up') ?? 0
  const down = scaled(rolling?.maxUnavailable ?? '25%', replicas, 'down') ?? 0
  const unavailable = surge === 0 && down === 0 ? 1 : down
  return { replicas, surge, unavailable: Math.min(unavailable, replicas) }
}

/** How many pods a ReplicaSet should have. */
export const wantedOf = (rs: Set): number => rs.spec?.replicas ?? 1

/** Sums over ReplicaSets. */
export const totalWanted = (sets: readonly Set[]): number => sets.reduce((sum, rs) => sum + wantedOf(rs), 0)
export const totalAvailable = (sets: readonly Set[]): number => sets.reduce((sum, rs) => sum + availableOf(rs), 0)
export const availableOf = (rs: Set): number => rs.status?.availableReplicas ?? 0

/** Those that should have pods. */
export const activeSets = (sets: readonly Set[]): Set[] => sets.filter((rs) => wantedOf(rs) > 0)

/** When a ReplicaSet was made. */
export const createdMs = (rs: Set): number => (rs.metadata.creationTimestamp ? msOf(rs.metadata.creationTimestamp) : 0)

/** Oldest first; by name where the second is the same. */
export const byAge = (a: Set, b: Set): number => createdMs(a) - createdMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1)

/** How many pods the current ReplicaSet should have now, while a rollout goes on. */
export function nextSizeOfCurrent(
  { replicas, surge }: Limits,
  all: readonly Set[],
  current: number,
  rolling: boolean,
): number {
  if (!rolling) return replicas
  const room = replicas + surge - totalWanted(all)
  if (room <= 0) return current
  return current + Math.min(room, replicas - current)
}

/** Whether the current ReplicaSet has, and has available, all that the Deployment wants. */
export function isSaturated(replicas: number, current: Set | undefined): boolean {
  if (!current) return false
  return (
    wantedOf(current) === replicas &&
    countIn(current, desiredReplicasAnnotation) === replicas &&
    availableOf(current) === replicas
  )
}

/** The one ReplicaSet that has pods; the newest where none has; undefined where several have. */
export function activeOrLatest(current: Set | undefined, old: readonly Set[]): Set | undefined {
  const active = activeSets(current ? [...old, current] : old)
  if (active.length > 1) return undefined
  return active[0] ?? current ?? [...old].sort(byAge).at(-1)
}

/** Sizes by name, when the Deployment was scaled in the middle of a rollout: each ReplicaSet grows or shrinks in proportion. */
export function proportionalSizes(limits: Limits, statusReplicas: number, sets: readonly Set[]): Map<string, number> {
  const allowed = limits.replicas > 0 ? limits.replicas + limits.surge : 0
  const toAdd = allowed - totalWanted(sets)
  // The larger ones first; among equals, new ones grow and old ones shrink first.
  const sorted = [...sets].sort((a, b) => wantedOf(b) - wantedOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)))
  const sizes = new Map<string, number>()
  let added = 0
  for (const rs of sorted) {
    const share = toAdd === 0 ? 0 : shareOf(rs, { limits, statusReplicas, toAdd, added })
    sizes.set(nameOf(rs), wantedOf(rs) + share)
    added += share
  }
  const largest = sorted[0]
  if (largest && toAdd !== 0) sizes.set(nameOf(largest), Math.max(0, (sizes.get(nameOf(largest)) ?? 0) + toAdd - added))
  return sizes
}

interface Sharing {
  readonly limits: Limits
  readonly statusReplicas: number
  readonly toAdd: number
  readonly added: number
}

function shareOf(rs: Set, { limits, statusReplicas, toAdd, added }: Sharing): number {
  if (wantedOf(rs) === 0 || toAdd === added) return 0
  const fraction = fractionOf(rs, limits, statusReplicas)
  const left = toAdd - added
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left)
}

function fractionOf(rs: Set, { replicas, surge }: Limits, statusReplicas: number): number {
  if (replicas === 0) return -wantedOf(rs)
  const before = countIn(rs, maxReplicasAnnotation) || statusReplicas
  if (before === 0) return 0
  // Rounded half away from zero, as upstream's integer division does.
  const exact = (wantedOf(rs) * (replicas + surge)) / before
  return Math.floor(exact + 0.5) - wantedOf(rs)
}

/** Sizes by name of old ReplicaSets that are to shrink: first what does not serve anyway, then as many as the available ones allow. */
export function shrunkSizes({ replicas, unavailable }: Limits, current: Set, old: readonly Set[]): Map<string, number> {
  const sizes = new Map<string, number>()
  const active = activeSets(old).sort(byAge)
  const minAvailable = replicas - unavailable
  const currentUnavailable = wantedOf(current) - availableOf(current)
  const most = totalWanted([...old, current]) - minAvailable - currentUnavailable
  if (active.length === 0 || most <= 0) return sizes

  let cleaned = 0
  for (const rs of active) {
    if (cleaned >= most) break
    const count = Math.min(most - cleaned, Math.max(0, wantedOf(rs) - availableOf(rs)))
    if (count === 0) continue
    sizes.set(nameOf(rs), wantedOf(rs) - count)
    cleaned += count
  }

  let spare = totalAvailable([...old, current]) - minAvailable
  for (const rs of active) {
    if (spare <= 0) break
    const size = sizes.get(nameOf(rs)) ?? wantedOf(rs)
    const count = Math.min(size, spare)
    if (count === 0) continue
    sizes.set(nameOf(rs), size - count)
    spare -= count
  }
  return sizes
}
