import type { Frozen } from '../../api/resource.ts'
import type { PodDisruptionBudget } from '../../api/generated/types/policy-v1.ts'
import { matcherOf } from '../../api/selector/label.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Rejection } from '../framework.ts'
import { runFilters, withChange, type FilterStates, type Search } from './find-node.ts'
import { counted } from './failure-text.ts'

/** A node that would fit if these Pods went. */
export interface Candidate {
  readonly node: NodeInfo
  /** By priority, highest first. */
  readonly victims: readonly PodInfo[]
  readonly budgetViolations: number
}

/** What preemption can do for a Pod: a node to clear, or the sentence why not. */
export type Preemption = { readonly candidate: Candidate } | { readonly candidate: undefined; readonly why: string }

/** At least so many candidates, or this share of the nodes, are looked for before the best is taken. */
const candidatesMin = 100
const candidatesPercentage = 10

/** Looks for the node where removing Pods of lower priority costs least. Follows "Pod Priority and Preemption". */
export function planPreemption(
  search: Search,
  states: FilterStates,
  pod: PodInfo,
  rejections: ReadonlyMap<NodeInfo, Rejection>,
): Preemption {
  const nodes = search.world.cache.nodes.length
  if (pod.pod.spec?.preemptionPolicy === 'Never')
    return { candidate: undefined, why: 'not eligible due to preemptionPolicy=Never.' }
  if (waitsForVictims(search, pod))
    return { candidate: undefined, why: 'not eligible due to a terminating pod on the nominated node.' }
  const hopeful = [...rejections].filter(([, { unresolvable }]) => !unresolvable).map(([node]) => node)
  const wanted = Math.max(candidatesMin, Math.trunc((nodes * candidatesPercentage) / 100))
  const budgets = search.world.listers.podDisruptionBudgets.list(pod.pod.metadata.namespace)
  const attempt: Attempt = { search, states, pod, budgets }
  const candidates: Candidate[] = []
  const reasons: string[] = Array.from(
    { length: nodes - hopeful.length },
    () => 'Preemption is not helpful for scheduling',
  )
  const offset = Math.floor(search.random.number() * hopeful.length)
  for (let i = 0; i < hopeful.length && candidates.length < wanted; i++) {
    const node = hopeful[(offset + i) % hopeful.length]!
    const candidate = victimsOn(attempt, node)
    if (candidate) candidates.push(candidate)
    else reasons.push('No preemption victims found for incoming pod')
  }
  if (candidates.length === 0)
    return { candidate: undefined, why: `0/${nodes} nodes are available: ${counted(reasons).join(', ')}.` }
  return { candidate: candidates.reduce((a, b) => (cheaper(b, a) ? b : a)) }
}

/** A node was promised already and its victims are still going. */
function waitsForVictims({ world }: Search, pod: PodInfo): boolean {
  const node = world.cache.node(pod.pod.status?.nominatedNodeName ?? '')
  return (
    node !== undefined &&
    [...node.pods.values()].some(
      ({ pod: other, priority }) => other.metadata.deletionTimestamp !== undefined && priority < pod.priority,
    )
  )
}

/** What one preemption has at hand for each node it tries. */
interface Attempt {
  readonly search: Search
  readonly states: FilterStates
  readonly pod: PodInfo
  /** Of the Pod's namespace. */
  readonly budgets: readonly Frozen<PodDisruptionBudget>[]
}

function victimsOn({ search, states, pod, budgets }: Attempt, node: NodeInfo): Candidate | undefined {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority)
  if (lower.length === 0) return undefined
  const trial = node.clone()
  let trialStates = states
  for (const victim of lower) {
    trial.remove(victim)
    trialStates = withChange(trialStates, { other: victim, node: trial, sign: -1 }, pod)
  }
  if (runFilters(search, trialStates, pod, trial)) return undefined
  // Give back as many as fit: first those whose budget would be violated, then the more important ones.
  lower.sort(moreImportant)
  const violating = violators(lower, budgets)
  const victims: PodInfo[] = []
  let budgetViolations = 0
  for (const victim of [...lower.filter((p) => violating.has(p)), ...lower.filter((p) => !violating.has(p))]) {
    trial.add(victim)
    const withVictim = withChange(trialStates, { other: victim, node: trial, sign: 1 }, pod)
    if (!runFilters(search, withVictim, pod, trial)) {
      trialStates = withVictim
      continue
    }
    trial.remove(victim)
    victims.push(victim)
    if (violating.has(victim)) budgetViolations++
  }
  return { node, victims: victims.sort(moreImportant), budgetViolations }
}

const startOf = ({ pod }: PodInfo) => Date.parse(pod.status?.startTime ?? '') || 0
const moreImportant = (a: PodInfo, b: PodInfo) => b.priority - a.priority || startOf(a) - startOf(b)

/** The Pods whose going a disruption budget does not allow, counted in order of importance. */
function violators(pods: readonly PodInfo[], budgets: readonly Frozen<PodDisruptionBudget>[]): Set<PodInfo> {
  const left = budgets.map((budget) => ({
    budget,
    matcher: matcherOf(budget.spec?.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }))
  const out = new Set<PodInfo>()
  for (const info of pods) {
    for (const entry of left) {
      const { metadata } = info.pod
      if (
        metadata.namespace !== entry.budget.metadata.namespace ||
        entry.matcher.everything ||
        !entry.matcher.matches(metadata.labels)
      )
        continue
      if (entry.budget.status?.disruptedPods?.[metadata.name ?? '']) continue
      if (entry.allowed-- <= 0) out.add(info)
    }
  }
  return out
}

/** Upstream's order: fewest violated budgets, lowest top priority, smallest sum of priorities, fewest victims, latest start of the most important ones. */
function cheaper(a: Candidate, b: Candidate): boolean {
  const keys = ({ victims, budgetViolations }: Candidate) => {
    const top = victims[0]?.priority ?? -Infinity
    const sum = victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0)
    const earliest = Math.min(...victims.filter(({ priority }) => priority === top).map(startOf))
    return [budgetViolations, top, sum, victims.length, -earliest]
  }
  const [x, y] = [keys(a), keys(b)]
  const at = x.findIndex((value, i) => value !== y[i])
  return at >= 0 && x[at]! < y[at]!
}
