import { untolerated } from '../../api/core/taints.ts'
import type { Pod, TopologySpreadConstraint } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { LabelMatcher, matcherOf } from '../../api/selector/label.ts'
import { allowsNode } from '../../api/selector/node.ts'
import { narrowed, selectionIn, type PodSelection } from '../cache/affinity-term.ts'
import type { Topology } from '../cache/match-counts.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { definePlugin, scoreMax, skip, unresolvable, unschedulable, type Plugin, type World } from '../framework.ts'

/** The constraints that hold for a Pod. */
interface Stated {
  readonly constraints: readonly Frozen<TopologySpreadConstraint>[]
  /** Of its Services and controllers: chooses the Pods that all of them count. Absent: each has a selector of its own. */
  readonly matcher?: LabelMatcher
  /** A node that lacks a label is left out; the system's own defaults do without what it lacks instead. */
  readonly strict: boolean
}

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
  /** The least count of any domain; 0 while there are fewer domains than asked for. */
  readonly least: number
  readonly honourAffinity: boolean
  readonly honourTaints: boolean
}

/** What upstream assumes for Pods without constraints of their own. */
const systemDefaults: readonly Frozen<TopologySpreadConstraint>[] = [
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

const name = 'PodTopologySpread'
const lacksLabel = {
  ...unresolvable("node(s) didn't match pod topology spread constraints (missing required label)"),
  plugin: name,
}
const wouldSkew = { ...unschedulable("node(s) didn't match pod topology spread constraints"), plugin: name }

/** For Pods that state no constraints of their own. */
type Defaults = readonly Frozen<TopologySpreadConstraint>[] | undefined

interface ScoreState {
  readonly constraints: readonly Constraint[]
  /** By constraint: how much one Pod counts. A topology of many domains has few Pods in each, so there each one counts for more. */
  readonly weights: readonly number[]
  /** A node that lacks a label is left out. */
  readonly strict: boolean
}

/** Spreads Pods over domains: within maxSkew where it must, as evenly as it can where it should. `defaults` are for Pods that state nothing, instead of the system's. */
export const podTopologySpread = (defaults?: Defaults): Plugin =>
  definePlugin<readonly Constraint[], ScoreState>({
    name,
    events: [
      { on: 'AssignedPod/Add' },
      { on: 'AssignedPod/Update' },
      { on: 'AssignedPod/Delete' },
      { on: 'Node/Add' },
      { on: 'Node/Update' },
      { on: 'Node/Delete' },
    ],
    preFilter(pod, world) {
      const stated = statedFor(pod, world, 'DoNotSchedule', defaults)
      return stated ? prepare(stated, pod, world) : skip
    },
    filter(constraints, node) {
      for (const { topology, counts, maxSkew, least, self } of constraints) {
        const domain = topology.domainOf[node.index]!
        if (domain < 0) return lacksLabel
        if (Math.max(0, counts[domain]!) + self - least > maxSkew) return wouldSkew
      }
      return undefined
    },
    changed: (constraints, { other, node, sign }, pod) =>
      constraints.map((constraint) => {
        const domain = constraint.topology.domainOf[node.index]!
        if (
          domain < 0 ||
          constraint.counts[domain]! < 0 ||
          !constraint.selection.matches(other.pod) ||
          !nodeCounts(constraint, node, pod)
        )
          return constraint
        const counts = constraint.counts.slice()
        counts[domain]! += sign
        return { ...constraint, counts, least: leastOf(counts, constraint.minDomains) }
      }),
    preScore(pod, nodes, world) {
      const stated = statedFor(pod, world, 'ScheduleAnyway', defaults)
      return stated ? scoreState(prepare(stated, pod, world), nodes, stated.strict) : skip
    },
    score({ constraints, weights, strict }, node) {
      let score = 0
      for (let i = 0; i < constraints.length; i++) {
        const { topology, counts, maxSkew } = constraints[i]!
        const domain = topology.domainOf[node.index]!
        if (domain >= 0) score += Math.max(0, counts[domain]!) * weights[i]! + (maxSkew - 1)
        else if (strict) return ignored
      }
      return Math.round(score)
    },
    normalize,
  })

/** The score of a node that lacks a topology label. */
const ignored = -1

/** The Pod's own constraints, else `defaults`, else the system's; undefined when there are none of this kind. */
function statedFor(
  pod: PodInfo,
  world: World,
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway',
  defaults: Defaults,
): Stated | undefined {
  const own = pod.pod.spec?.topologySpreadConstraints
  const all = own?.length ? own : (defaults ?? systemDefaults)
  const constraints = all.filter((c) => c.whenUnsatisfiable === whenUnsatisfiable)
  if (constraints.length === 0) return undefined
  if (all === own) return { constraints, strict: true }
  const matcher = ownersSelector(pod.pod, world)
  return matcher && { constraints, matcher, strict: defaults !== undefined }
}

/** The fewer matching Pods the better; nodes that are left out get nothing. */
function normalize(scores: Float64Array): void {
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
}

function scoreState(constraints: readonly Constraint[], nodes: readonly NodeInfo[], strict: boolean): ScoreState {
  const counted = strict
    ? nodes.filter(({ index }) => constraints.every(({ topology }) => topology.domainOf[index]! >= 0))
    : nodes
  const weights = constraints.map(({ key, topology }) => {
    if (key === 'kubernetes.io/hostname') return Math.log(counted.length + 2)
    const seen = new Uint8Array(topology.values.length)
    let domains = 0
    for (const { index } of counted) {
      const domain = topology.domainOf[index]!
      if (domain < 0 || seen[domain]) continue
      seen[domain] = 1
      domains++
    }
    return Math.log(domains + 2)
  })
  return { constraints, weights, strict }
}

function leastOf(counts: Int32Array, minDomains: number): number {
  let [least, domains] = [Infinity, 0]
  for (const count of counts) {
    if (count < 0) continue
    domains++
    if (count < least) least = count
  }
  return domains === 0 || domains < minDomains ? 0 : least
}

function prepare({ constraints, matcher, strict }: Stated, pod: PodInfo, world: World): readonly Constraint[] {
  const { cache } = world
  const topologies = constraints.map((c) => cache.counts.topology(c.topologyKey))
  const plain = !pod.pod.spec?.nodeSelector && !pod.pod.spec?.affinity?.nodeAffinity
  return constraints.map((c, i) => {
    const selection = selectionIn(
      pod.pod.metadata.namespace ?? '',
      matcher ?? narrowed(c.labelSelector, pod.pod, c.matchLabelKeys),
    )
    const policies = {
      honourAffinity: strict && !plain && c.nodeAffinityPolicy !== 'Ignore',
      honourTaints: c.nodeTaintsPolicy === 'Honor',
    }
    // A node counts only when it has the labels of all constraints.
    const counts = countedBy(
      { selection, topology: topologies[i]!, required: strict ? topologies : [] },
      policies,
      pod,
      world,
    )
    const minDomains = c.minDomains ?? 1
    return {
      key: c.topologyKey,
      maxSkew: c.maxSkew,
      minDomains,
      selection,
      self: selection.matches(pod.pod) ? 1 : 0,
      topology: topologies[i]!,
      counts,
      least: leastOf(counts, minDomains),
      ...policies,
    }
  })
}

interface Policies {
  readonly honourAffinity: boolean
  readonly honourTaints: boolean
}

/** Matching Pods by domain, of the nodes that count; -1 for a domain without such a node. */
function countedBy(
  { selection, topology, required }: { selection: PodSelection; topology: Topology; required: readonly Topology[] },
  policies: Policies,
  pod: PodInfo,
  world: World,
): Int32Array {
  const { nodes, counts } = world.cache
  const { perNode } = counts.of(selection, true)
  const { domainOf } = topology
  const sums = new Int32Array(topology.values.length).fill(-1)
  const others = required.filter((other) => other !== topology)
  const picky = policies.honourAffinity || policies.honourTaints
  for (let i = 0; i < perNode.length; i++) {
    const domain = domainOf[i]!
    if (domain < 0 || (others.length > 0 && others.some((other) => other.domainOf[i]! < 0))) continue
    if (picky && !nodeCounts(policies, nodes[i]!, pod)) continue
    const sum = sums[domain]!
    sums[domain] = (sum < 0 ? 0 : sum) + perNode[i]!
  }
  return sums
}

/** Whether a node's Pods count, by the constraint's policies. */
const nodeCounts = ({ honourAffinity, honourTaints }: Policies, { node }: NodeInfo, { pod }: PodInfo): boolean =>
  (!honourAffinity || allowsNode(pod.spec, node)) &&
  (!honourTaints || !untolerated(node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute']))

/** The selectors of the Services and controllers that a Pod belongs to, put together; undefined when there is none. */
function ownersSelector(pod: Frozen<Pod>, { listers }: World): LabelMatcher | undefined {
  const namespace = pod.metadata.namespace ?? ''
  const found: LabelMatcher[] = []
  for (const { spec } of listers.services.list(namespace)) {
    if (spec?.selector && Object.entries(spec.selector).every(([key, value]) => pod.metadata.labels?.[key] === value))
      found.push(matcherOf({ matchLabels: spec.selector }))
  }
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner) {
    const key = { namespace, name: owner.name }
    if (owner.kind === 'ReplicaSet') found.push(matcherOf(listers.replicaSets.get(key)?.spec?.selector))
    if (owner.kind === 'StatefulSet') found.push(matcherOf(listers.statefulSets.get(key)?.spec?.selector))
    if (owner.kind === 'ReplicationController')
      found.push(matcherOf({ matchLabels: listers.replicationControllers.get(key)?.spec?.selector ?? {} }))
  }
  const requirements = found.filter(({ nothing }) => !nothing).flatMap((m) => m.requirements)
  return requirements.length === 0 ? undefined : new LabelMatcher(requirements)
}
