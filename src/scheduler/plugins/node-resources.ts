/** Whether a node has room, and how well a Pod would fill it. */
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { amount, type Resources } from '../cache/resources.ts'
import { definePlugin, scoreMax, skip, type Plugin } from '../framework.ts'

const insufficient = (free: number, wanted: number) => wanted > 0 && wanted > free

/** Which resources of a node a Pod would overrun, as upstream words it, and whether it could ever fit. */
function shortages(requests: Resources, node: NodeInfo): { reasons: string[]; never: boolean } {
  const { allocatable, requested } = node
  const reasons: string[] = []
  let never = false
  const look = (name: string, wanted: number, all: number, used: number) => {
    if (!insufficient(all - used, wanted)) return
    reasons.push(`Insufficient ${name}`)
    if (wanted > all) never = true
  }
  if (node.pods.size + 1 > node.podsMax) reasons.push('Too many pods')
  look('cpu', requests.milliCpu, allocatable.milliCpu, requested.milliCpu)
  look('memory', requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes)
  look('ephemeral-storage', requests.ephemeralBytes, allocatable.ephemeralBytes, requested.ephemeralBytes)
  if (requests.others)
    for (const [name, wanted] of requests.others) look(name, wanted, amount(allocatable, name), amount(requested, name))
  return { reasons, never }
}

/** CPU and memory that a node would have given away. */
const shares = ({ requested: used }: NodeInfo, { requests: more }: PodInfo): [number, number] => [
  used.milliCpu + more.milliCpu,
  used.memoryBytes + more.memoryBytes,
]

/** How a node's use of one resource is scored, 0..100: `used` counts the Pod in, `all` is above zero. */
export type UsageScore = (used: number, all: number) => number

/** Emptier nodes are better: Pods spread. */
export const leastAllocated: UsageScore = (used, all) => (used > all ? 0 : Math.trunc(((all - used) * scoreMax) / all))

/** Fuller nodes are better: Pods are packed. */
export const mostAllocated: UsageScore = (used, all) => Math.trunc((Math.min(used, all) * scoreMax) / all)

/** Scored by a curve through points of utilization (percent) and score (0..10). */
export function requestedToCapacityRatio(
  shape: readonly { readonly utilization: number; readonly score: number }[],
): UsageScore {
  return (used, all) => {
    const percent = used > all ? 100 : Math.trunc((used * 100) / all)
    const after = shape.findIndex(({ utilization }) => percent <= utilization)
    if (after <= 0) return (after < 0 ? (shape.at(-1)?.score ?? 0) : shape[0]!.score) * 10
    const [a, b] = [shape[after - 1]!, shape[after]!]
    return Math.trunc(
      a.score * 10 + ((b.score - a.score) * 10 * (percent - a.utilization)) / (b.utilization - a.utilization),
    )
  }
}

/** Which resources count how much, and how each is scored. */
export interface ScoringStrategy {
  readonly score: UsageScore
  readonly resources: readonly { readonly name: string; readonly weight: number }[]
}

/** Upstream's default. */
export const defaultStrategy: ScoringStrategy = {
  score: leastAllocated,
  resources: [
    { name: 'cpu', weight: 1 },
    { name: 'memory', weight: 1 },
  ],
}

/** Room for what the Pod asks; which of the nodes with room are better says the strategy. */
export const nodeResourcesFit = (strategy: ScoringStrategy): Plugin =>
  definePlugin({
    name: 'NodeResourcesFit',
    nodeLocal: true,
    events: [{ on: 'AssignedPod/Delete' }, { on: 'AssignedPod/Update' }, { on: 'Node/Add' }, { on: 'Node/Update' }],
    filter(_: undefined, node, { requests }) {
      const { reasons, never } = shortages(requests, node)
      return reasons.length === 0 ? undefined : { reasons, unresolvable: never }
    },
    score(_: undefined, node, pod) {
      let [sum, weights] = [0, 0]
      for (const { name, weight } of strategy.resources) {
        const all = amount(node.allocatable, name)
        // An extended resource that the Pod does not ask for says nothing about where it should go.
        if (all === 0 || (amount(pod.scoringRequests, name) === 0 && name.includes('/'))) continue
        sum += weight * strategy.score(amount(node.scoringRequested, name) + amount(pod.scoringRequests, name), all)
        weights += weight
      }
      return weights === 0 ? 0 : Math.trunc(sum / weights)
    },
  })

/** Prefers nodes whose CPU and memory would be used to a similar degree. */
export const nodeResourcesBalancedAllocation = definePlugin<undefined, true>({
  name: 'NodeResourcesBalancedAllocation',
  nodeLocal: true,
  events: [],
  preScore: ({ requests }) => (requests.milliCpu === 0 && requests.memoryBytes === 0 ? skip : true),
  score(_, node, pod) {
    const [cpu, memory] = shares(node, pod)
    const { milliCpu, memoryBytes } = node.allocatable
    if (milliCpu === 0 || memoryBytes === 0) return scoreMax
    return Math.trunc((1 - Math.abs(Math.min(1, cpu / milliCpu) - Math.min(1, memory / memoryBytes)) / 2) * scoreMax)
  },
})
