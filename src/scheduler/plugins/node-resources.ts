/** Whether a node has room, and how well a Pod would fill it. */
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { amount, type Resources } from '../cache/resources.ts'
import { definePlugin, scoreMax, skip } from '../framework.ts'

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
  if (requests.others) for (const [name, wanted] of requests.others) look(name, wanted, amount(allocatable, name), amount(requested, name))
  return { reasons, never }
}

/** CPU and memory with equal weight: upstream's default. */
function shares(node: NodeInfo, pod: PodInfo, scoring: boolean): [number, number] {
  const used = scoring ? node.scoringRequested : node.requested
  const more = scoring ? pod.scoringRequests : pod.requests
  return [used.milliCpu + more.milliCpu, used.memoryBytes + more.memoryBytes]
}

const leastUsed = (used: number, all: number) => (all === 0 || used > all ? 0 : Math.trunc(((all - used) * scoreMax) / all))

/** Room for what the Pod asks; prefers nodes with more left (LeastAllocated). */
export const nodeResourcesFit = definePlugin({
  name: 'NodeResourcesFit',
  nodeLocal: true,
  events: [{ on: 'AssignedPod/Delete' }, { on: 'AssignedPod/Update' }, { on: 'Node/Add' }, { on: 'Node/Update' }, { on: 'UnscheduledPod/Update' }],
  filter(_: undefined, node, { requests }) {
    const { reasons, never } = shortages(requests, node)
    return reasons.length === 0 ? undefined : { reasons, unresolvable: never }
  },
  score(_: undefined, node, pod) {
    const [cpu, memory] = shares(node, pod, true)
    const { milliCpu, memoryBytes } = node.allocatable
    const parts = (milliCpu > 0 ? 1 : 0) + (memoryBytes > 0 ? 1 : 0)
    return parts === 0 ? 0 : Math.trunc((leastUsed(cpu, milliCpu) + leastUsed(memory, memoryBytes)) / parts)
  },
})

/** Prefers nodes whose CPU and memory would be used to a similar degree. */
export const nodeResourcesBalancedAllocation = definePlugin<undefined, true>({
  name: 'NodeResourcesBalancedAllocation',
  nodeLocal: true,
  events: [],
  preScore: ({ requests }) => (requests.milliCpu === 0 && requests.memoryBytes === 0 ? skip : true),
  score(_, node, pod) {
    const [cpu, memory] = shares(node, pod, false)
    const { milliCpu, memoryBytes } = node.allocatable
    if (milliCpu === 0 || memoryBytes === 0) return scoreMax
    return Math.trunc((1 - Math.abs(Math.min(1, cpu / milliCpu) - Math.min(1, memory / memoryBytes)) / 2) * scoreMax)
  },
})
