import type { Random } from '../../base/random.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { Rejected, skip, type Move, type Plugin, type Rejection, type World } from '../framework.ts'
import type { LocalResults, LocalResultsCache } from './local-results.ts'

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
  | {
      readonly node: undefined
      readonly states: FilterStates
      readonly rejections: ReadonlyMap<NodeInfo, Rejection>
      readonly everywhere: Rejection | undefined
    }

/** How a profile looks for nodes. */
export interface Search {
  readonly plugins: readonly WeightedPlugin[]
  readonly world: World
  readonly random: Random
  readonly local: LocalResultsCache
  /** Percentage of nodes to score; 0: adaptive, as upstream. */
  readonly percentage: number
  /** Pods that were promised a node by preemption and are not there yet. */
  readonly nominated: ReadonlyMap<string, ReadonlyMap<string, PodInfo>>
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
    if (state instanceof Rejected)
      return { node: undefined, states, rejections: new Map(), everywhere: { ...state.rejection, plugin: plugin.name } }
    if (state !== skip) states.set(plugin, state)
  }
  const look = lookOf(search, states, pod, nodes.length)
  const nominatedNode = pod.pod.status?.nominatedNodeName
  const promised = nominatedNode ? world.cache.node(nominatedNode) : undefined
  const rejected: NodeInfo[] = []
  const reasons: Rejection[] = []
  const feasible: NodeInfo[] = []
  if (promised && !rejection(look, promised)) feasible.push(promised)
  else {
    const wanted = enough(nodes.length, search.percentage)
    let [at, looked] = [search.start % (nodes.length || 1), 0]
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[at]!
      if (++at === nodes.length) at = 0
      const why = rejection(look, node)
      if (why) {
        rejected.push(node)
        reasons.push(why)
      } else feasible.push(node)
    }
    search.start = at
  }
  if (feasible.length === 0)
    return {
      node: undefined,
      states,
      rejections: new Map(rejected.map((node, i) => [node, reasons[i]!])),
      everywhere: undefined,
    }
  const node = feasible.length === 1 ? feasible[0]! : best(look, feasible)
  return { node, states, evaluated: feasible.length + rejected.length, feasible: feasible.length }
}

/** What one search has at hand for each node it looks at. */
interface Look {
  readonly search: Search
  readonly states: FilterStates
  readonly pod: PodInfo
  readonly local: LocalResults
  /** The filters that do not skip this Pod: node-local ones, whose answers are remembered, and the others. */
  readonly localFilters: readonly Plugin[]
  readonly otherFilters: readonly Plugin[]
}

function lookOf(search: Search, states: FilterStates, pod: PodInfo, nodes: number): Look {
  const filters = search.plugins.map(({ plugin }) => plugin).filter((plugin) => plugin.filter && states.has(plugin))
  const local = search.local.of(pod.signature, search.world.cache.epoch, nodes)
  return {
    search,
    states,
    pod,
    local,
    localFilters: filters.filter(({ nodeLocal }) => nodeLocal),
    otherFilters: filters.filter(({ nodeLocal }) => !nodeLocal),
  }
}

/** Why a Pod does not fit a node, or undefined. Pods that were promised the node count as if they were there, and it must fit without them too. */
function rejection(look: Look, node: NodeInfo): Rejection | undefined {
  const { search, states, pod, local } = look
  const promised = search.nominated.size > 0 ? search.nominated.get(node.name) : undefined
  const why = promised && rejectionAmong([...promised.values()], look, node)
  if (why) return why
  if (local.generations[node.index] !== node.generation) {
    local.rejections[node.index] = firstRejection(look.localFilters, { search, states, pod, node })
    local.generations[node.index] = node.generation
  }
  const remembered = local.rejections[node.index]
  if (remembered || look.otherFilters.length === 0) return remembered
  return firstRejection(look.otherFilters, { search, states, pod, node })
}

function rejectionAmong(
  promised: readonly PodInfo[],
  { search, states, pod }: Look,
  node: NodeInfo,
): Rejection | undefined {
  const others = promised.filter((other) => other.key !== pod.key && other.priority >= pod.priority)
  if (others.length === 0) return undefined
  const crowded = node.clone()
  let changed = states
  for (const other of others) {
    crowded.add(other)
    changed = withChange(changed, { other, node: crowded, sign: 1 }, pod)
  }
  return runFilters(search, changed, pod, crowded)
}

/** Runs all filters that do not skip the Pod, in order, up to the first that rejects the node. */
export function runFilters(search: Search, states: FilterStates, pod: PodInfo, node: NodeInfo): Rejection | undefined {
  const filters = search.plugins.map(({ plugin }) => plugin).filter((plugin) => plugin.filter && states.has(plugin))
  return firstRejection(filters, { search, states, pod, node })
}

function firstRejection(
  filters: readonly Plugin[],
  { search, states, pod, node }: { search: Search; states: FilterStates; pod: PodInfo; node: NodeInfo },
): Rejection | undefined {
  for (const plugin of filters) {
    const why = plugin.filter!(states.get(plugin), node, pod, search.world)
    if (why) return why.plugin === undefined ? { ...why, plugin: plugin.name } : why
  }
  return undefined
}

/** The states as if a Pod came to or left a node. */
export function withChange(states: FilterStates, move: Move, pod: PodInfo): FilterStates {
  const out = new Map(states)
  for (const [plugin, state] of states) if (plugin.changed) out.set(plugin, plugin.changed(state, move, pod))
  return out
}

/** A plugin that scores this Pod's nodes. */
interface Scorer {
  readonly plugin: Plugin
  readonly weight: number
  readonly state: unknown
}

/** The feasible node with the highest sum of weighted scores; among equals, any. */
function best(look: Look, nodes: readonly NodeInfo[]): NodeInfo {
  const { search, states, pod } = look
  const scorers: Scorer[] = []
  for (const { plugin, weight } of search.plugins) {
    if (!plugin.score || weight === 0) continue
    const state = plugin.preScore ? plugin.preScore(pod, nodes, search.world, states.get(plugin)) : undefined
    if (state !== skip) scorers.push({ plugin, weight, state })
  }
  const totals = localTotals(look, scorers, nodes)
  const scores = new Float64Array(nodes.length)
  for (const { plugin, weight, state } of scorers) {
    if (plugin.nodeLocal && !plugin.normalize) continue
    const known = plugin.nodeLocal ? look.local.scores.get(plugin.name) : undefined
    if (known) for (let i = 0; i < nodes.length; i++) scores[i] = known[nodes[i]!.index]!
    else for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score!(state, nodes[i]!, pod, search.world)
    plugin.normalize?.(scores, state, nodes)
    for (let i = 0; i < nodes.length; i++) totals[i]! += scores[i]! * weight
  }
  return nodes[anyMaximum(totals, search.random)]!
}

/** What node-local plugins that need no normalizing give each node in all. Brings everything remembered about these nodes up to date first. */
function localTotals(
  { search, local, pod }: Look,
  scorers: readonly Scorer[],
  nodes: readonly NodeInfo[],
): Float64Array {
  const summed = scorers.filter(({ plugin }) => plugin.nodeLocal && !plugin.normalize)
  const raw = scorers.filter(({ plugin }) => plugin.nodeLocal && plugin.normalize)
  for (const { plugin } of raw)
    if (!local.scores.has(plugin.name)) local.scores.set(plugin.name, new Float64Array(local.generations.length))
  const totals = new Float64Array(nodes.length)
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!
    if (local.scored[node.index] !== node.generation) {
      let total = 0
      for (const { plugin, weight, state } of summed) total += weight * plugin.score!(state, node, pod, search.world)
      local.totals[node.index] = total
      for (const { plugin, state } of raw)
        local.scores.get(plugin.name)![node.index] = plugin.score!(state, node, pod, search.world)
      local.scored[node.index] = node.generation
    }
    totals[i] = local.totals[node.index]!
  }
  return totals
}

/** The index of a maximum; each of several equal ones is as likely. */
function anyMaximum(values: Float64Array, random: Random): number {
  let [max, equal] = [-Infinity, 0]
  for (const value of values) {
    if (value > max) [max, equal] = [value, 1]
    else if (value === max) equal++
  }
  let left = Math.floor(random.number() * equal)
  for (let i = 0; i < values.length; i++) if (values[i] === max && left-- === 0) return i
  return 0
}
