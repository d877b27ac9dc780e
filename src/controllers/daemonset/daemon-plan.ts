import type { DaemonSet } from '../../api/generated/types/apps-v1.ts'
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, msOf, nameOf } from '../../client/object.ts'
import { scaled } from '../framework/int-or-percent.ts'
import { isAvailable, isReady } from '../framework/pod.ts'
import { revisionHashLabel } from '../history/revisions.ts'
import { isUpdated, placement } from './daemon-pod.ts'

type FrozenPod = Frozen<Pod>

/** What was seen of a DaemonSet. */
export interface Seen {
  readonly ds: Frozen<DaemonSet>
  readonly hash: string
  readonly nodes: readonly Frozen<Node>[]
  /** By node; deleted ones that have ended are left out. */
  readonly pods: ReadonlyMap<string, readonly FrozenPod[]>
  readonly nowMs: number
}

/** What to change. */
export interface DaemonPlan {
  /** Names of nodes that need a pod. */
  readonly create: readonly string[]
  readonly remove: readonly FrozenPod[]
}

/** Ended pods: they go too, failed ones not too often. */
export interface Ended {
  readonly failed: readonly { readonly pod: FrozenPod; readonly node: string }[]
  readonly succeeded: readonly { readonly pod: FrozenPod; readonly node: string }[]
}

const createdMs = (pod: FrozenPod): number =>
  pod.metadata.creationTimestamp ? msOf(pod.metadata.creationTimestamp) : 0

/** Bound pods first, then the oldest. */
const byAge = (a: FrozenPod, b: FrozenPod): number =>
  Number(!a.spec?.nodeName) - Number(!b.spec?.nodeName) ||
  createdMs(a) - createdMs(b) ||
  (nameOf(a) < nameOf(b) ? -1 : 1)

/** So many pods may be too many (surge) or too few (unavailable) while a DaemonSet rolls. */
export function limitsOf(ds: Frozen<DaemonSet>, desired: number): { surge: number; unavailable: number } {
  const rolling = ds.spec?.updateStrategy?.rollingUpdate
  if ((ds.spec?.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const surge = scaled(rolling?.maxSurge ?? 0, desired, 'up') ?? 0
  const unavailable = scaled(rolling?.maxUnavailable ?? 1, desired, 'up') ?? 0
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

/** One live pod on every node that should have one, and none elsewhere. */
export function planPlacement(seen: Seen): DaemonPlan & Ended {
  const create: string[] = []
  const remove: FrozenPod[] = []
  const failed: { pod: FrozenPod; node: string }[] = []
  const succeeded: { pod: FrozenPod; node: string }[] = []
  const surges = limitsOf(seen.ds, seen.nodes.length).surge > 0
  for (const node of seen.nodes) {
    const name = nameOf(node)
    const { run, stay } = placement(seen.ds, node)
    const here = seen.pods.get(name)
    if (run && !here) create.push(name)
    else if (stay) {
      const live = (here ?? []).filter((pod) => !isBeingDeleted(pod))
      failed.push(...live.filter(({ status }) => status?.phase === 'Failed').map((pod) => ({ pod, node: name })))
      succeeded.push(...live.filter(({ status }) => status?.phase === 'Succeeded').map((pod) => ({ pod, node: name })))
      const running = live
        .filter(({ status }) => status?.phase !== 'Failed' && status?.phase !== 'Succeeded')
        .sort(byAge)
      if (surges && run && running.length === 0 && (here ?? []).length > 0) create.push(name)
      remove.push(...(surges ? surplusWhileSurging(running, seen) : running.slice(1)))
    } else if (here) remove.push(...here.filter((pod) => !isBeingDeleted(pod)))
  }
  // Pods of nodes that are gone.
  const names = new Set(seen.nodes.map(nameOf))
  for (const [name, here] of seen.pods)
    if (!names.has(name)) remove.push(...here.filter((pod) => !isBeingDeleted(pod) && !pod.spec?.nodeName))
  return { create, remove, failed, succeeded }
}

/** Two pods may be on a node only while the old one serves and the new one does not yet. */
function surplusWhileSurging(running: readonly FrozenPod[], { ds, hash, nowMs }: Seen): FrozenPod[] {
  if (running.length <= 1) return []
  const fresh = running.find((pod) => labelsOf(pod)[revisionHashLabel] === hash)
  const old = running.find((pod) => labelsOf(pod)[revisionHashLabel] !== hash)
  const surplus = running.filter((pod) => pod !== fresh && pod !== old)
  const replaced = fresh && old && (!isReady(old) || isAvailable(fresh, ds.spec?.minReadySeconds ?? 0, nowMs))
  return replaced ? [...surplus, old] : surplus
}

/** One step of a rolling update. */
export function planUpdate(seen: Seen): DaemonPlan {
  const desired = seen.nodes.filter((node) => placement(seen.ds, node).run).length
  const { surge, unavailable } = limitsOf(seen.ds, desired)
  return surge > 0 ? planSurge(seen, surge, desired) : planReplacement(seen, unavailable)
}

interface OnNode {
  readonly node: string
  readonly fresh: FrozenPod | undefined
  readonly old: FrozenPod | undefined
  /** More pods than one of each: that is put in order first. */
  readonly crowded: boolean
}

function pairs({ ds, hash, nodes, pods }: Seen): OnNode[] {
  // A node whose pod is yet to come counts as one whose pod does not serve.
  const empty = nodes
    .filter((node) => !pods.has(nameOf(node)) && placement(ds, node).run)
    .map((node): [string, FrozenPod[]] => [nameOf(node), []])
  return [...pods, ...empty].map(([node, here]) => {
    const live = here.filter((pod) => !isBeingDeleted(pod))
    const fresh = live.filter((pod) => isUpdated(pod, ds, hash))
    const old = live.filter((pod) => !isUpdated(pod, ds, hash))
    return { node, fresh: fresh[0], old: old[0], crowded: fresh.length > 1 || old.length > 1 }
  })
}

/** Old pods go, as many at a time as may be unavailable; their successors come when they are gone. */
function planReplacement(seen: Seen, most: number): DaemonPlan {
  const available = (pod: FrozenPod) => isAvailable(pod, seen.ds.spec?.minReadySeconds ?? 0, seen.nowMs)
  const broken: FrozenPod[] = []
  const candidates: FrozenPod[] = []
  let unavailable = 0
  for (const { fresh, old, crowded } of pairs(seen)) {
    if (crowded || (fresh === undefined) === (old === undefined)) unavailable++
    else if (fresh) unavailable += Number(!available(fresh))
    else if (old && !available(old)) {
      broken.push(old)
      unavailable++
    } else if (old) candidates.push(old)
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, most - unavailable))] }
}

/** New pods come beside old ones, as many at a time as the surge allows; old ones go when the new ones serve. */
function planSurge(seen: Seen, most: number, desired: number): DaemonPlan {
  const available = (pod: FrozenPod) => isAvailable(pod, seen.ds.spec?.minReadySeconds ?? 0, seen.nowMs)
  const runsOn = new Map(seen.nodes.map((node) => [nameOf(node), placement(seen.ds, node).run]))
  const remove: FrozenPod[] = []
  const misplaced: FrozenPod[] = []
  const needed: string[] = []
  const candidates: string[] = []
  let surging = 0
  let serving = 0
  for (const { node, fresh, old, crowded } of pairs(seen)) {
    if (crowded) {
      surging++
      continue
    }
    const one = old ?? fresh
    if (one && available(one)) serving++
    if (!old) continue
    const runs = runsOn.get(node) ?? false
    if (fresh) {
      if (available(fresh)) remove.push(old)
      else surging++
    } else if (!available(old)) {
      if (runs) needed.push(node)
      else remove.push(old)
    } else if (!runs) misplaced.push(old)
    else candidates.push(node)
  }
  remove.push(...misplaced.slice(0, Math.max(0, serving - desired)))
  return { remove, create: [...needed, ...candidates.slice(0, Math.max(0, most - surging))] }
}
