import type { AffinityTerm } from '../cache/affinity-term.ts'
import { byDomain, type Topology } from '../cache/match-counts.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import {
  definePlugin,
  scoreMax,
  skip,
  unresolvable,
  unschedulable,
  type Move,
  type Plugin,
  type World,
} from '../framework.ts'

/** Something counted by the domains of one topology key. */
interface Counted {
  readonly term: AffinityTerm
  readonly topology: Topology
  readonly counts: Int32Array
}

interface FilterState {
  /** The Pod's own requirements. */
  readonly affinity: readonly Counted[]
  readonly antiAffinity: readonly Counted[]
  /** Anti-affinity of Pods that are there, which this Pod matches. */
  readonly refusedBy: readonly Counted[]
  /** Nothing in the cluster matches the Pod's affinity, but it does itself: the first of a group goes anywhere. */
  readonly first: boolean
}

interface ScoreState {
  /** Weighted counts by topology. */
  readonly parts: readonly { readonly topology: Topology; readonly weights: Float64Array }[]
}

const at = ({ topology, counts }: Counted, node: NodeInfo) => {
  const domain = topology.domainOf[node.index]!
  return domain < 0 ? 0 : counts[domain]!
}

const name = 'InterPodAffinity'
const lacksAffinity = { ...unresolvable("node(s) didn't match pod affinity rules"), plugin: name }
const repelled = { ...unschedulable("node(s) didn't match pod anti-affinity rules"), plugin: name }
const refused = { ...unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"), plugin: name }

/** Pods that want to be near others, or away from them. `hardAffinityWeight`: how much the required affinity of Pods that are there counts in scoring. */
export const interPodAffinity = (hardAffinityWeight: number): Plugin =>
  definePlugin<FilterState, ScoreState>({
    name,
    events: [
      { on: 'AssignedPod/Add' },
      { on: 'AssignedPod/Update' },
      { on: 'AssignedPod/Delete' },
      { on: 'Node/Add' },
      { on: 'Node/Update' },
      { on: 'Namespace/Update' },
    ],
    preFilter: (pod, { cache }) => countsFor(pod, cache) ?? skip,
    filter(state, node) {
      for (const part of state.affinity) {
        if (part.topology.domainOf[node.index]! < 0) return lacksAffinity
        if (!state.first && at(part, node) === 0) return lacksAffinity
      }
      for (const part of state.antiAffinity) if (at(part, node) > 0) return repelled
      for (const part of state.refusedBy) if (at(part, node) > 0) return refused
      return undefined
    },
    changed: withMoved,
    preScore: (pod, _nodes, { cache }) => weightsFor(pod, hardAffinityWeight, cache) ?? skip,
    score({ parts }, node) {
      let score = 0
      for (const { topology, weights } of parts) {
        const domain = topology.domainOf[node.index]!
        if (domain >= 0) score += weights[domain]!
      }
      return score
    },
    normalize(scores) {
      let [min, max] = [Infinity, -Infinity]
      for (const score of scores) {
        min = Math.min(min, score)
        max = Math.max(max, score)
      }
      for (let i = 0; i < scores.length; i++)
        scores[i] = max > min ? Math.trunc((scoreMax * (scores[i]! - min)) / (max - min)) : 0
    },
  })

/** What filtering looks at; undefined when neither the Pod nor the Pods that are there ask for anything. */
function countsFor(pod: PodInfo, cache: World['cache']): FilterState | undefined {
  const refusedBy: Counted[] = []
  for (const { term, counts } of cache.terms('requiredAntiAffinity')) {
    if (!term.selection.matches(pod.pod)) continue
    const topology = cache.counts.topology(term.topologyKey)
    refusedBy.push({ term, topology, counts: byDomain(counts, topology) })
  }
  if (refusedBy.length === 0 && pod.requiredAffinity.length === 0 && pod.requiredAntiAffinity.length === 0)
    return undefined
  const affinity = pod.requiredAffinity.map((term) => counted(term, pod.requiredAffinity, cache))
  const antiAffinity = pod.requiredAntiAffinity.map((term) => counted(term, [term], cache))
  const first =
    affinity.every(({ counts }) => counts.every((n) => n === 0)) &&
    pod.requiredAffinity.every(({ selection }) => selection.matches(pod.pod))
  return { affinity, antiAffinity, refusedBy, first }
}

/** The state as if another Pod had moved. */
function withMoved(state: FilterState, { other, node, sign }: Move, pod: PodInfo): FilterState {
  const moved = (part: Counted, holds: boolean): Counted => {
    const domain = part.topology.domainOf[node.index]!
    if (!holds || domain < 0) return part
    const counts = part.counts.slice()
    counts[domain]! += sign
    return { ...part, counts }
  }
  const all = pod.requiredAffinity.every(({ selection }) => selection.matches(other.pod))
  const affinity = state.affinity.map((part) => moved(part, all))
  return {
    affinity,
    antiAffinity: state.antiAffinity.map((part) => moved(part, part.term.selection.matches(other.pod))),
    refusedBy: state.refusedBy.map((part) =>
      moved(
        part,
        other.requiredAntiAffinity.some(({ id }) => id === part.term.id),
      ),
    ),
    first:
      affinity.every(({ counts }) => counts.every((n) => n <= 0)) &&
      pod.requiredAffinity.every(({ selection }) => selection.matches(pod.pod)),
  }
}

/** How much each domain speaks for the Pod, by topology; undefined when nothing speaks for or against any. */
function weightsFor(pod: PodInfo, hardAffinityWeight: number, cache: World['cache']): ScoreState | undefined {
  const parts = new Map<string, { topology: Topology; weights: Float64Array }>()
  const add = (key: string, perNode: { perNode: Int32Array; total: number }, weight: number) => {
    const topology = cache.counts.topology(key)
    if (!parts.has(key)) parts.set(key, { topology, weights: new Float64Array(topology.values.length) })
    const { weights } = parts.get(key)!
    byDomain(perNode, topology).forEach((n, domain) => (weights[domain]! += n * weight))
  }
  for (const term of pod.preferredAffinity) add(term.topologyKey, cache.counts.of(term.selection, false), term.weight)
  for (const term of pod.preferredAntiAffinity)
    add(term.topologyKey, cache.counts.of(term.selection, false), -term.weight)
  for (const [group, sign, weight] of [
    ['preferredAffinity', 1, 0],
    ['preferredAntiAffinity', -1, 0],
    ['requiredAffinity', 1, hardAffinityWeight],
  ] as const) {
    if (group === 'requiredAffinity' && weight === 0) continue
    for (const { term, counts } of cache.terms(group))
      if (term.selection.matches(pod.pod)) add(term.topologyKey, counts, sign * (weight || term.weight))
  }
  return parts.size === 0 ? undefined : { parts: [...parts.values()] }
}

/** Pods that all the terms choose, by the domains of one of them. */
function counted(term: AffinityTerm, all: readonly AffinityTerm[], cache: World['cache']): Counted {
  const topology = cache.counts.topology(term.topologyKey)
  const selection =
    all.length === 1
      ? term.selection
      : {
          id: all.map((t) => t.selection.id).join('&&'),
          matches: (pod: PodInfo['pod']) => all.every((t) => t.selection.matches(pod)),
        }
  return { term, topology, counts: byDomain(cache.counts.of(selection, false), topology) }
}
