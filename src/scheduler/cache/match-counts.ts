import type { PodSelection } from './affinity-term.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/** How many Pods of each node something holds for, by the node's index; kept up to date as Pods come and go. */
export interface NodeCounts {
  readonly perNode: Int32Array
  total: number
}

/** The domains of a topology key: which one each node is in, by index; -1 where the node lacks the label. */
export interface Topology {
  readonly domainOf: Int32Array
  /** Label values by domain. */
  readonly values: readonly string[]
}

/** So many selections are remembered at once; the one unused for longest goes. */
const selectionsMax = 256

/**
 * Counts for selections and topologies, each computed once over all nodes and then kept up to date: what Pod affinity and topology spread would otherwise
 * count again for every Pod that is scheduled. Node indexes hold for one epoch: when nodes come, go or change labels, everything starts anew.
 */
export class MatchCounts {
  #nodes: readonly NodeInfo[]
  readonly #selections = new Map<
    string,
    { readonly selection: PodSelection; readonly spread: boolean; readonly counts: NodeCounts }
  >()
  readonly #topologies = new Map<string, Topology>()

  constructor(nodes: readonly NodeInfo[]) {
    this.#nodes = nodes
  }

  /** Nodes came, went or changed labels. */
  reset(nodes: readonly NodeInfo[]): void {
    this.#nodes = nodes
    this.#selections.clear()
    this.#topologies.clear()
  }

  /** How many Pods of each node a selection chooses; topology spread leaves out Pods that are being deleted. */
  of(selection: PodSelection, spread: boolean): NodeCounts {
    const id = `${spread ? 's' : 'a'}${selection.id}`
    const known = this.#selections.get(id)
    if (known) {
      // Moved to the end: the Map is in order of use.
      this.#selections.delete(id)
      this.#selections.set(id, known)
      return known.counts
    }
    const counts: NodeCounts = { perNode: new Int32Array(this.#nodes.length), total: 0 }
    const entry = { selection, spread, counts }
    for (const node of this.#nodes) for (const pod of node.pods.values()) count(entry, node.index, pod, 1)
    this.#selections.set(id, entry)
    if (this.#selections.size > selectionsMax) this.#selections.delete(this.#selections.keys().next().value!)
    return counts
  }

  /** The domains of a topology key. */
  topology(key: string): Topology {
    const known = this.#topologies.get(key)
    if (known) return known
    const domains = new Map<string, number>()
    const domainOf = new Int32Array(this.#nodes.length).fill(-1)
    for (const node of this.#nodes) {
      const value = node.labels[key]
      if (value === undefined) continue
      if (!domains.has(value)) domains.set(value, domains.size)
      domainOf[node.index] = domains.get(value)!
    }
    const topology = { domainOf, values: [...domains.keys()] }
    this.#topologies.set(key, topology)
    return topology
  }

  /** A Pod came to (1) or left (-1) a node. */
  change(index: number, pod: PodInfo, sign: 1 | -1): void {
    for (const entry of this.#selections.values()) count(entry, index, pod, sign)
  }
}

function count(
  { selection, spread, counts }: { selection: PodSelection; spread: boolean; counts: NodeCounts },
  index: number,
  { pod }: PodInfo,
  sign: 1 | -1,
): void {
  if ((spread && pod.metadata.deletionTimestamp) || !selection.matches(pod)) return
  counts.perNode[index]! += sign
  counts.total += sign
}

/** Sums counts by node into counts by domain. */
export function byDomain({ perNode }: NodeCounts, { domainOf, values }: Topology): Int32Array {
  const out = new Int32Array(values.length)
  for (let i = 0; i < perNode.length; i++) {
    const n = perNode[i]!
    if (n !== 0 && domainOf[i]! >= 0) out[domainOf[i]!]! += n
  }
  return out
}
