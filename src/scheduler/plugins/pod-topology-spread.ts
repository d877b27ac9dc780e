import type { Frozen } from '../../api/resource.ts'
import type { Pod, TopologySpreadConstraint } from '../../api/generated/types/core-v1.ts'
import { LabelMatcher, matcherOf } from '../../api/selector/label.ts'
import { narrowed, selectionIn, type PodSelection } from '../cache/affinity-term.ts'
import type { Topology } from '../cache/match-counts.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { definePlugin, scoreMax, skip, unresolvable, unschedulable, type World } from '../framework.ts'
import { allowsNode } from './node-selector.ts'
import { untolerated } from './tolerations.ts'

/** A constraint made ready: which Pods it counts, in which domains, on which nodes. */
interface Constraint {
  readonly key: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selection: PodSelection
  /** The Pod itself counts where it goes. */
  readonly self: number
  readonly topology: Topology
  /** Matching Pods by domain, of the nodes that count; -1 where no node counts. */
  readonly counts: Int32Array
  readonly honourAffinity: boolean
  readonly honourTaints: boolean
}

/** What upstream assumes for Pods without constraints of their own. */
const systemDefaults: readonly Frozen<TopologySpreadConstraint>[] = [
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

/** Spreads Pods over domains: within maxSkew where it must, as evenly as it can where it should. */
export const podTopologySpread = definePlugin<readonly Constraint[], readonly Constraint[]>({
  name: 'PodTopologySpread',
  events: [{ on: 'AssignedPod/Add' }, { on: 'AssignedPod/Update' }, { on: 'AssignedPod/Delete' }, { on: 'Node/Add' }, { on: 'Node/Update' }, { on: 'Node/Delete' }, { on: 'UnscheduledPod/Update' }],
  preFilter(pod, world) {
    const stated = (pod.pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'DoNotSchedule')
    return stated.length === 0 ? skip : prepare(stated, pod, world, true)
  },
  filter(constraints, node) {
    for (const { topology, counts, maxSkew, minDomains, self } of constraints) {
      const domain = topology.domainOf[node.index]!
      if (domain < 0) return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
      if (Math.max(0, counts[domain]!) + self - leastOf(counts, minDomains) > maxSkew) return unschedulable("node(s) didn't match pod topology spread constraints")
    }
    return undefined
  },
  changed: (constraints, other, node, sign, pod) =>
    constraints.map((constraint) => {
      const domain = constraint.topology.domainOf[node.index]!
      if (domain < 0 || constraint.counts[domain]! < 0 || !constraint.selection.matches(other.pod) || !nodeCounts(constraint, node, pod)) return constraint
      const counts = constraint.counts.slice()
      counts[domain]! += sign
      return { ...constraint, counts }
    }),
  preScore(pod, _nodes, world) {
    const { topologySpreadConstraints } = pod.pod.spec ?? {}
    const stated = (topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'ScheduleAnyway')
    if (stated.length > 0) return prepare(stated, pod, world, true)
    if (topologySpreadConstraints?.length) return skip
    const matcher = ownersSelector(pod.pod, world)
    return matcher === undefined ? skip : prepare(systemDefaults, pod, world, false, matcher)
  },
  score(constraints, node) {
    let score = 0
    for (const { topology, counts, maxSkew } of constraints) {
      const domain = topology.domainOf[node.index]!
      if (domain < 0) return ignored
      score += Math.max(0, counts[domain]!) * Math.log(topology.values.length + 2) + (maxSkew - 1)
    }
    return Math.round(score)
  },
  normalize(scores) {
    let [min, max] = [Infinity, 0]
    for (const score of scores) {
      if (score === ignored) continue
      min = Math.min(min, score)
      max = Math.max(max, score)
    }
    for (let i = 0; i < scores.length; i++) {
      if (scores[i] === ignored) scores[i] = 0
      else scores[i] = max === 0 ? scoreMax : Math.trunc((scoreMax * (max + min - scores[i]!)) / max)
    }
  },
})

/** The score of a node that lacks a topology label. */
const ignored = -1

/** The least count of any domain; 0 while there are fewer domains than asked for. */
function leastOf(counts: Int32Array, minDomains: number): number {
  let [least, domains] = [Infinity, 0]
  for (const count of counts) {
    if (count < 0) continue
    domains++
    if (count < least) least = count
  }
  return domains === 0 || domains < minDomains ? 0 : least
}

function prepare(stated: readonly Frozen<TopologySpreadConstraint>[], pod: PodInfo, world: World, honour: boolean, matcher?: LabelMatcher): readonly Constraint[] {
  const { cache } = world
  const keys = stated.map((c) => c.topologyKey)
  const made = stated.map((c) => {
    const selection = selectionIn(pod.pod.metadata.namespace ?? '', matcher ?? narrowed(c.labelSelector, pod.pod, c.matchLabelKeys))
    const topology = cache.counts.topology(c.topologyKey)
    return {
      key: c.topologyKey,
      maxSkew: c.maxSkew,
      minDomains: c.minDomains ?? 1,
      selection,
      self: selection.matches(pod.pod) ? 1 : 0,
      topology,
      counts: new Int32Array(topology.values.length).fill(-1),
      honourAffinity: honour && c.nodeAffinityPolicy !== 'Ignore',
      honourTaints: c.nodeTaintsPolicy === 'Honor',
    }
  })
  const plain = !pod.pod.spec?.nodeSelector && !pod.pod.spec?.affinity?.nodeAffinity
  for (const constraint of made) {
    const { perNode } = cache.counts.of(constraint.selection, true)
    const all = !constraint.honourTaints && (plain || !constraint.honourAffinity)
    for (const node of cache.nodes) {
      const domain = constraint.topology.domainOf[node.index]!
      if (domain < 0 || (honour && keys.length > 1 && !keys.every((key) => key in node.labels)) || !(all || nodeCounts(constraint, node, pod))) continue
      constraint.counts[domain] = Math.max(0, constraint.counts[domain]!) + perNode[node.index]!
    }
  }
  return made
}

/** Whether a node's Pods count, by the constraint's policies. */
const nodeCounts = ({ honourAffinity, honourTaints }: Pick<Constraint, 'honourAffinity' | 'honourTaints'>, { node }: NodeInfo, { pod }: PodInfo): boolean =>
  (!honourAffinity || allowsNode(pod, node)) && (!honourTaints || !untolerated(node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute']))

/** The selectors of the Services and controllers that a Pod belongs to, put together; undefined when there is none. */
function ownersSelector(pod: Frozen<Pod>, { listers }: World): LabelMatcher | undefined {
  const namespace = pod.metadata.namespace ?? ''
  const found: LabelMatcher[] = []
  for (const { spec } of listers.services.list(namespace)) {
    if (spec?.selector && Object.entries(spec.selector).every(([key, value]) => pod.metadata.labels?.[key] === value)) found.push(matcherOf({ matchLabels: spec.selector }))
  }
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner) {
    const key = { namespace, name: owner.name }
    if (owner.kind === 'ReplicaSet') found.push(matcherOf(listers.replicaSets.get(key)?.spec?.selector))
    if (owner.kind === 'StatefulSet') found.push(matcherOf(listers.statefulSets.get(key)?.spec?.selector))
    if (owner.kind === 'ReplicationController') found.push(matcherOf({ matchLabels: listers.replicationControllers.get(key)?.spec?.selector ?? {} }))
  }
  const requirements = found.filter(({ nothing }) => !nothing).flatMap((m) => m.requirements)
  return requirements.length === 0 ? undefined : new LabelMatcher(requirements)
}
