import type { Random } from '../../base/random.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { Rejected, skip, type Plugin, type Rejection, type World } from '../framework.ts'
import { localRejection, type LocalResults, type LocalResultsCache } from './local-results.ts'

/** A plugin that is on, with its weight in scoring. */
export interface WeightedPlugin {
  readonly plugin: Plugin
  readonly weight: number
}

/** What `preFilter` gave, by plugin; a plugin that skips is absent. */
export type FilterStates = ReadonlyMap<Plugin, unknown>

/** What came of looking for a node. */
export type Found =
  | { readonly node: NodeInfo; readonly states: FilterStates; readonly evaluated: number; readonly feasible: number }
  | { readonly node: undefined; readonly states: FilterStates; readonly rejections: ReadonlyMap<NodeInfo, Rejection>; readonly everywhere: Rejection | undefined }

/** How a profile looks for nodes. */
export interface Search {
  readonly plugins: readonly WeightedPlugin[]
  readonly world: World
  readonly random: Random
  readonly local: LocalResultsCache
  /** Percentage of nodes to score; 0: adaptive, as upstream. */
  readonly percentage: number
  /** Pods that were promised a node by preemption and are not there yet. */
  readonly nominated: (node: string) => readonly PodInfo[]
  /** Where the next search begins, so that all nodes get their turn. */
  start: number
}

/** With fewer nodes than this, all are looked at. */
const nodesMin = 100
const percentageMin = 5

/** How many feasible nodes are enough. */
function enough(nodes: number, percentage: number): number {
  if (nodes < nodesMin || percentage >= 100) return nodes
  const share = percentage || Math.max(percentageMin, 50 - Math.trunc(nodes / 125))
  return Math.max(nodesMin, Math.trunc((nodes * share) / 100))
}

/** Finds the node that suits a Pod best. */
export function findNode(search: Search, pod: PodInfo): Found {
  const { world, plugins } = search
  const nodes = world.cache.nodes
  const states = new Map<Plugin, unknown>()
  for (const { plugin } of plugins) {
    const state = plugin.preFilter ? plugin.preFilter(pod, world) : undefined
    if (state instanceof Rejected) return { node: undefined, states, rejections: new Map(), everywhere: { ...state.rejection, plugin: plugin.name } }
    if (state !== skip) states.set(plugin, state)
  }
  const local = search.local.of(pod.signature, world.cache.epoch, nodes.length)
  const nominatedNode = pod.pod.status?.nominatedNodeName
  const promised = nominatedNode ? world.cache.node(nominatedNode) : undefined
  const rejections = new Map<NodeInfo, Rejection>()
  const feasible: NodeInfo[] = []
  if (promised && !rejection(search, states, local, pod, promised)) feasible.push(promised)
  else {
    const wanted = enough(nodes.length, search.percentage)
    let looked = 0
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[(search.start + looked) % nodes.length]!
      const why = rejection(search, states, local, pod, node)
      if (why) rejections.set(node, why)
      else feasible.push(node)
    }
    search.start = nodes.length ? (search.start + looked) % nodes.length : 0
  }
  if (feasible.length === 0) return { node: undefined, states, rejections, everywhere: undefined }
  const node = feasible.length === 1 ? feasible[0]! : best(search, states, local, pod, feasible)
  return { node, states, evaluated: feasible.length + rejections.size, feasible: feasible.length }
}

/** Why a Pod does not fit a node, or undefined. Pods that were promised the node count as if they were there, and it must fit without them too. */
export function rejection(search: Search, states: FilterStates, local: LocalResults, pod: PodInfo, node: NodeInfo): Rejection | undefined {
  const promised = search.nominated(node.name).filter((other) => other.key !== pod.key && other.priority >= pod.priority)
  if (promised.length > 0) {
    const crowded = node.clone()
    let changed = states
    for (const other of promised) {
      crowded.add(other)
      changed = withChange(changed, other, crowded, 1, pod)
    }
    const why = runFilters(search, changed, pod, crowded)
    if (why) return why
  }
  const why = localRejection(local, node, () => runFilters(search, states, pod, node, true))
  return why ?? runFilters(search, states, pod, node, false)
}

/** Runs the filters in order: all of them, or only the ones that are (not) node-local. */
export function runFilters({ plugins, world }: Search, states: FilterStates, pod: PodInfo, node: NodeInfo, nodeLocal?: boolean): Rejection | undefined {
  for (const { plugin } of plugins) {
    if (!plugin.filter || !states.has(plugin) || (nodeLocal !== undefined && (plugin.nodeLocal ?? false) !== nodeLocal)) continue
    const why = plugin.filter(states.get(plugin), node, pod, world)
    if (why) return { ...why, plugin: plugin.name }
  }
  return undefined
}

/** The states as if a Pod came to or left a node. */
export function withChange(states: FilterStates, other: PodInfo, node: NodeInfo, sign: 1 | -1, pod: PodInfo): FilterStates {
  const out = new Map(states)
  for (const [plugin, state] of states) if (plugin.changed) out.set(plugin, plugin.changed(state, other, node, sign, pod))
  return out
}

/** The feasible node with the highest sum of weighted scores; among equals, any. */
function best(search: Search, states: FilterStates, local: LocalResults, pod: PodInfo, nodes: readonly NodeInfo[]): NodeInfo {
  const totals = new Float64Array(nodes.length)
  const scores = new Float64Array(nodes.length)
  const fresh = nodes.map((node) => local.scored[node.index] !== node.generation)
  for (const { plugin, weight } of search.plugins) {
    if (!plugin.score || weight === 0) continue
    const state = plugin.preScore ? plugin.preScore(pod, nodes, search.world, states.get(plugin)) : undefined
    if (state === skip) continue
    if (plugin.nodeLocal) scoreLocal(plugin, state, { search, local, pod, nodes, fresh, scores })
    else for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, nodes[i]!, pod, search.world)
    plugin.normalize?.(scores, state, nodes)
    for (let i = 0; i < nodes.length; i++) totals[i]! += scores[i]! * weight
  }
  for (const node of nodes) local.scored[node.index] = node.generation
  return nodes[anyMaximum(totals, search.random)]!
}

function scoreLocal(
  plugin: Plugin,
  state: unknown,
  { search, local, pod, nodes, fresh, scores }: { search: Search; local: LocalResults; pod: PodInfo; nodes: readonly NodeInfo[]; fresh: readonly boolean[]; scores: Float64Array },
): void {
  let known = local.scores.get(plugin.name)
  if (!known) local.scores.set(plugin.name, (known = new Float64Array(local.generations.length)))
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!
    if (fresh[i]) known[node.index] = plugin.score!(state, node, pod, search.world)
    scores[i] = known[node.index]!
  }
}

/** The index of a maximum; each of several equal ones is as likely. */
function anyMaximum(values: Float64Array, random: Random): number {
  let [at, equal] = [0, 1]
  for (let i = 1; i < values.length; i++) {
    if (values[i]! > values[at]!) [at, equal] = [i, 1]
    else if (values[i] === values[at] && random.number() < 1 / ++equal) at = i
  }
  return at
}
