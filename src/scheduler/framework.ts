import type { Frozen } from '../api/resource.ts'
import type { Pod } from '../api/generated/types/core-v1.ts'
import type { ClusterCache } from './cache/cluster-cache.ts'
import type { NodeInfo } from './cache/node-info.ts'
import type { PodInfo } from './cache/pod-info.ts'
import type { SchedulerListers } from './listers.ts'
import type { CarryOut } from './volumes/carry-out.ts'
import type { VolumeDecisions } from './volumes/volume-decisions.ts'

/** What plugins may look at. */
export interface World {
  readonly cache: ClusterCache
  readonly listers: SchedulerListers
  /** Volumes that are about to be given to claims. */
  readonly volumes: VolumeDecisions
}

/** Why a Pod cannot go to a node, or to any. */
export interface Rejection {
  /** Sentences as upstream counts them: '2 Insufficient cpu'. */
  readonly reasons: readonly string[]
  /** Removing other Pods from the node would not help. */
  readonly unresolvable?: boolean
  /** Which plugin said so; filled in by the framework unless the plugin did (one that gives the same rejection for many nodes). */
  readonly plugin?: string
}

/** The usual Pod: a plugin that has nothing to do for it is not called for any node. */
export const skip: unique symbol = Symbol('skip')

/** What happened in the cluster: 'Node/Add', 'AssignedPod/Delete', 'PersistentVolumeClaim/Update' … That a waiting Pod itself changed, the queue sees by itself. */
export type ClusterEvent =
  `${'Node' | 'AssignedPod' | 'PersistentVolumeClaim' | 'PersistentVolume' | 'StorageClass' | 'CSINode' | 'CSIDriver' | 'CSIStorageCapacity' | 'VolumeAttachment' | 'Namespace'}/${'Add' | 'Update' | 'Delete'}`

/** An event that can make a rejected Pod fit. `hint`, when given, looks closer: false means that it cannot. */
export interface EventHint {
  readonly on: ClusterEvent
  readonly hint?: (rejected: PodInfo, object: Frozen<object>, old: Frozen<object> | undefined) => boolean
}

/** A Pod that comes to a node (1) or leaves it (-1): for trying. */
export interface Move {
  readonly other: PodInfo
  readonly node: NodeInfo
  readonly sign: 1 | -1
}

/**
 * A scheduling plugin. `F` and `S` are what it works out once for a Pod and is given back for each node.
 *
 * Order of calls: preEnqueue; preFilter, filter for each node; on failure postFilter (preemption, which uses `changed` to try); preScore,
 * score for each feasible node, normalize; reserve; preBind. `unreserve` undoes `reserve` and can be called without it.
 */
export interface Plugin<F = unknown, S = unknown> {
  readonly name: string
  /** What can make a rejected Pod fit. A missing event is a Pod that waits for ever. */
  readonly events: readonly EventHint[]
  /** The answers of filter and score depend on nothing but the Pod's signature and this one node: they are kept until the node changes. */
  readonly nodeLocal?: boolean
  readonly preEnqueue?: (pod: Frozen<Pod>) => Rejection | undefined
  readonly preFilter?: (pod: PodInfo, world: World) => F | typeof skip | Rejected
  readonly filter?: (state: F, node: NodeInfo, pod: PodInfo, world: World) => Rejection | undefined
  /** The state as if another Pod had moved. Absent: the state does not depend on other Pods. */
  readonly changed?: (state: F, move: Move, pod: PodInfo) => F
  readonly preScore?: (pod: PodInfo, nodes: readonly NodeInfo[], world: World, state: F | undefined) => S | typeof skip
  readonly score?: (state: S, node: NodeInfo, pod: PodInfo, world: World) => number
  /** Brings scores into 0..100, in place. Absent: they are already. */
  readonly normalize?: (scores: Float64Array, state: S, nodes: readonly NodeInfo[]) => void
  readonly reserve?: (pod: PodInfo, node: NodeInfo, world: World, state: F | undefined) => Rejection | undefined
  readonly unreserve?: (pod: PodInfo, node: NodeInfo, world: World) => void
  readonly preBind?: (pod: PodInfo, node: NodeInfo, world: World, means: CarryOut) => Promise<void>
}

/** What `preFilter` answers to reject the Pod everywhere. */
export class Rejected {
  readonly rejection: Rejection
  constructor(rejection: Rejection) {
    this.rejection = rejection
  }
}

/** Declares a plugin; the types of its states are checked here and forgotten after. */
export const definePlugin = <F, S>(plugin: Plugin<F, S>): Plugin => plugin as unknown as Plugin

/** The node does not fit, and would if other Pods went. */
export const unschedulable = (...reasons: string[]): Rejection => ({ reasons })

/** The node does not fit, whatever else goes. */
export const unresolvable = (...reasons: string[]): Rejection => ({ reasons, unresolvable: true })

/** The highest score of a plugin. */
export const scoreMax = 100

/** Scales scores so that the highest becomes 100; `reverse` makes the lowest the best. */
export function scaleToMax(scores: Float64Array, reverse = false): void {
  let max = 0
  for (const score of scores) if (score > max) max = score
  for (let i = 0; i < scores.length; i++) {
    const scaled = max === 0 ? 0 : Math.trunc((scores[i]! * scoreMax) / max)
    scores[i] = reverse ? scoreMax - scaled : scaled
  }
}
