import type { TopologySpreadConstraint } from '../api/generated/types/core-v1.ts'
import type { WeightedPlugin } from './cycle/find-node.ts'
import type { Plugin } from './framework.ts'
import { pluginsWith, type PluginOptions } from './plugins/defaults.ts'
import {
  leastAllocated,
  mostAllocated,
  requestedToCapacityRatio,
  type ScoringStrategy,
} from './plugins/node-resources.ts'

/** A set of plugins as a KubeSchedulerConfiguration changes it. */
export interface PluginSet {
  readonly enabled?: readonly { readonly name: string; readonly weight?: number }[]
  /** '*' stands for all. */
  readonly disabled?: readonly { readonly name: string }[]
}

/** KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1), as far as it is read. */
export interface SchedulerConfiguration {
  readonly apiVersion?: string
  readonly kind?: string
  readonly percentageOfNodesToScore?: number
  readonly podInitialBackoffSeconds?: number
  readonly podMaxBackoffSeconds?: number
  readonly leaderElection?: {
    readonly leaderElect?: boolean
    readonly leaseDuration?: string
    readonly renewDeadline?: string
    readonly retryPeriod?: string
    readonly resourceName?: string
    readonly resourceNamespace?: string
  }
  readonly clientConnection?: { readonly kubeconfig?: string }
  readonly extenders?: readonly object[]
  readonly profiles?: readonly ProfileConfiguration[]
}

/** One profile of it. */
export interface ProfileConfiguration {
  readonly schedulerName?: string
  readonly percentageOfNodesToScore?: number
  /** By extension point: 'multiPoint', 'filter', 'score' … */
  readonly plugins?: Readonly<Record<string, PluginSet>>
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: PluginArguments }[]
}

interface PluginArguments {
  readonly scoringStrategy?: {
    readonly type?: string
    readonly resources?: readonly { readonly name: string; readonly weight?: number }[]
    readonly requestedToCapacityRatio?: {
      readonly shape?: readonly { readonly utilization: number; readonly score: number }[]
    }
  }
  readonly defaultingType?: string
  readonly defaultConstraints?: readonly TopologySpreadConstraint[]
  readonly hardPodAffinityWeight?: number
}

/** A way of scheduling, for the Pods that name it. */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: readonly WeightedPlugin[]
  /** 0: adapts to the size of the cluster. */
  readonly percentageOfNodesToScore: number
}

const apiVersion = 'kubescheduler.config.k8s.io/v1'
const kind = 'KubeSchedulerConfiguration'

/** The profiles that a configuration describes; throws when something in it has no meaning. */
export function profilesOf(config: SchedulerConfiguration): readonly Profile[] {
  if (config.kind !== undefined && (config.kind !== kind || config.apiVersion !== apiVersion))
    throw new Error(`a ${kind} of ${apiVersion} is expected, not ${config.kind} of ${config.apiVersion}`)
  const profiles = (config.profiles?.length ? config.profiles : [{}]).map((profile): Profile => ({
    schedulerName: profile.schedulerName ?? 'default-scheduler',
    plugins: chosen(pluginsWith(optionsOf(profile)), profile),
    percentageOfNodesToScore: profile.percentageOfNodesToScore ?? config.percentageOfNodesToScore ?? 0,
  }))
  const names = profiles.map(({ schedulerName }) => schedulerName)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`profiles: Duplicate value: "${twice}"`)
  return profiles
}

function optionsOf({ pluginConfig = [] }: ProfileConfiguration): PluginOptions {
  const args = (name: string) => pluginConfig.find((plugin) => plugin.name === name)?.args
  const spread = args('PodTopologySpread')
  return {
    scoringStrategy: strategyOf(args('NodeResourcesFit')?.scoringStrategy),
    defaultConstraints:
      spread?.defaultingType === 'List' || spread?.defaultConstraints?.length
        ? (spread.defaultConstraints ?? [])
        : undefined,
    hardPodAffinityWeight: args('InterPodAffinity')?.hardPodAffinityWeight,
  }
}

function strategyOf(strategy: PluginArguments['scoringStrategy']): ScoringStrategy | undefined {
  if (!strategy) return undefined
  const resources = strategy.resources?.length ? strategy.resources : [{ name: 'cpu' }, { name: 'memory' }]
  const weighted = resources.map(({ name, weight }) => ({ name, weight: weight || 1 }))
  switch (strategy.type ?? 'LeastAllocated') {
    case 'LeastAllocated':
      return { score: leastAllocated, resources: weighted }
    case 'MostAllocated':
      return { score: mostAllocated, resources: weighted }
    case 'RequestedToCapacityRatio':
      return { score: requestedToCapacityRatio(strategy.requestedToCapacityRatio?.shape ?? []), resources: weighted }
    default:
      throw new Error(
        `scoringStrategy.type: Unsupported value: "${strategy.type}": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"`,
      )
  }
}

/** What each extension point calls. A filter needs what its preFilter prepares, and a score its preScore: they go together. */
const points: Readonly<Record<string, readonly (keyof Plugin)[]>> = {
  preEnqueue: ['preEnqueue'],
  preFilter: ['preFilter', 'filter', 'changed'],
  filter: ['filter', 'changed'],
  preScore: ['preScore', 'score', 'normalize'],
  score: ['preScore', 'score', 'normalize'],
  reserve: ['reserve', 'unreserve'],
  preBind: ['preBind'],
}

const lists = ({ disabled = [] }: PluginSet, name: string) =>
  disabled.some((other) => other.name === name || other.name === '*')

function chosen(all: readonly WeightedPlugin[], { plugins = {} }: ProfileConfiguration): readonly WeightedPlugin[] {
  const out: WeightedPlugin[] = []
  for (const { plugin, weight } of all) {
    const enabledBy = (set: PluginSet | undefined) => set?.enabled?.find(({ name }) => name === plugin.name)
    const everywhere = enabledBy(plugins['multiPoint'])
    const off = plugins['multiPoint'] !== undefined && lists(plugins['multiPoint'], plugin.name) && !everywhere
    const dropped = new Set<keyof Plugin>()
    for (const [point, calls] of Object.entries(points)) {
      const set = plugins[point]
      if (enabledBy(set)) for (const call of calls) dropped.delete(call)
      else if (off || (set && lists(set, plugin.name))) for (const call of calls) dropped.add(call)
    }
    const kept = Object.fromEntries(
      Object.entries(plugin).filter(([key]) => !dropped.has(key as keyof Plugin)),
    ) as unknown as Plugin
    out.push({
      plugin: dropped.size === 0 ? plugin : kept,
      weight: enabledBy(plugins['score'])?.weight || everywhere?.weight || weight,
    })
  }
  return out
}
