import type { TopologySpreadConstraint } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { WeightedPlugin } from '../cycle/find-node.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import {
  nodeAffinity,
  nodeName,
  nodePorts,
  nodeUnschedulable,
  schedulingGates,
  taintToleration,
} from './node-plugins.ts'
import {
  defaultStrategy,
  nodeResourcesBalancedAllocation,
  nodeResourcesFit,
  type ScoringStrategy,
} from './node-resources.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { volumeBinding } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

/** What can be set of the plugins. */
export interface PluginOptions {
  readonly scoringStrategy?: ScoringStrategy | undefined
  /** Spreading for Pods that state none; absent: the system's. */
  readonly defaultConstraints?: readonly Frozen<TopologySpreadConstraint>[] | undefined
  /** 1 when absent. */
  readonly hardPodAffinityWeight?: number | undefined
}

/** The plugins of the default profile with upstream's weights, in the order in which they are called. */
export const pluginsWith = ({
  scoringStrategy = defaultStrategy,
  defaultConstraints,
  hardPodAffinityWeight = 1,
}: PluginOptions): readonly WeightedPlugin[] => [
  { plugin: schedulingGates, weight: 0 },
  { plugin: nodeUnschedulable, weight: 0 },
  { plugin: nodeName, weight: 0 },
  { plugin: taintToleration, weight: 3 },
  { plugin: nodeAffinity, weight: 2 },
  { plugin: nodePorts, weight: 0 },
  { plugin: nodeResourcesFit(scoringStrategy), weight: 1 },
  { plugin: volumeRestrictions, weight: 0 },
  { plugin: nodeVolumeLimits, weight: 0 },
  { plugin: volumeBinding, weight: 0 },
  { plugin: volumeZone, weight: 0 },
  { plugin: podTopologySpread(defaultConstraints), weight: 2 },
  { plugin: interPodAffinity(hardPodAffinityWeight), weight: 2 },
  { plugin: nodeResourcesBalancedAllocation, weight: 1 },
  { plugin: imageLocality, weight: 1 },
]

/** The default profile's. */
export const defaultPlugins: readonly WeightedPlugin[] = pluginsWith({})
