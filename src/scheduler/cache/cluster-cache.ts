import type { Frozen } from '../../api/resource.ts'
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { AffinityTerm, NamespaceLabels } from './affinity-term.ts'
import { MatchCounts, type NodeCounts } from './match-counts.ts'
import { NodeInfo } from './node-info.ts'
import { newPodInfo, podKey, type PodInfo } from './pod-info.ts'

/** A term that some Pods in the cluster have, and how many of them each node holds. */
export interface TermHolders {
  readonly term: AffinityTerm
  readonly counts: NodeCounts
}

/** Which terms of existing Pods are asked for: the ones that bear on other Pods. */
export type TermGroup = 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity' | 'preferredAntiAffinity'

const termGroups: readonly TermGroup[] = [
  'requiredAffinity',
  'requiredAntiAffinity',
  'preferredAffinity',
  'preferredAntiAffinity',
]

/**
 * The cluster as scheduling sees it: nodes with the Pods that are bound to them or assumed to be. A Pod is assumed from the moment a node was chosen until
 * the API shows it bound (`confirm`); `removePod` takes that back.
 *
 * One cycle runs at a time and nothing changes during it (handlers run between turns, a cycle yields only between Pods), so no copy is made.
 */
export class ClusterCache {
  readonly #labelsOf: NamespaceLabels
  readonly #byName = new Map<string, NodeInfo>()
  /** Every Pod on a node: the node's name and what was worked out. */
  readonly #pods = new Map<string, { readonly info: PodInfo; readonly node: string }>()
  readonly #assumed = new Set<string>()
  #nodes: NodeInfo[] = []
  #stale = false
  readonly #terms: Record<TermGroup, Map<string, TermHolders>> = {
    requiredAffinity: new Map(),
    requiredAntiAffinity: new Map(),
    preferredAffinity: new Map(),
    preferredAntiAffinity: new Map(),
  }
  readonly #imageNodes = new Map<string, number>()
  readonly counts = new MatchCounts([])
  /** Changes when node indexes do. */
  epoch = 0

  constructor(labelsOf: NamespaceLabels) {
    this.#labelsOf = labelsOf
  }

  /** Every node, zone by zone in turn, so that a search that ends early sees all zones. */
  get nodes(): readonly NodeInfo[] {
    if (this.#stale) this.#rebuild()
    return this.#nodes
  }

  node(name: string): NodeInfo | undefined {
    return this.#byName.get(name)
  }

  /** What is known of a Pod on a node. */
  pod(key: string): PodInfo | undefined {
    return this.#pods.get(key)?.info
  }

  isAssumed(key: string): boolean {
    return this.#assumed.has(key)
  }

  /** Terms of existing Pods, with how many Pods of each node have them. */
  terms(group: TermGroup): Iterable<TermHolders> {
    if (this.#stale) this.#rebuild()
    return this.#terms[group].values()
  }

  /** On how many nodes an image is. */
  nodesWithImage(name: string): number {
    if (this.#stale) this.#rebuild()
    return this.#imageNodes.get(name) ?? 0
  }

  setNode(node: Frozen<Node>): void {
    const name = node.metadata.name ?? ''
    const known = this.#byName.get(name)
    if (!known) {
      this.#byName.set(name, new NodeInfo(node))
      // Pods may be heard of before their node.
      for (const [, pod] of this.#pods) if (pod.node === name) this.#byName.get(name)!.add(pod.info)
      this.#stale = true
      return
    }
    const before = known.node
    known.update(node)
    if (
      !sameMap(before.metadata.labels, node.metadata.labels) ||
      before.status?.images?.length !== node.status?.images?.length
    )
      this.#stale = true
  }

  removeNode(name: string): void {
    if (this.#byName.delete(name)) this.#stale = true
  }

  /** A Pod is on a node, as the API says or as was just decided. */
  setPod(pod: Frozen<Pod>, node: string): PodInfo {
    const info = newPodInfo(pod, this.#labelsOf)
    this.#put(info, node)
    return info
  }

  /** A Pod that was just given a node counts there from now on. */
  assume(info: PodInfo, node: string): void {
    this.#put(info, node)
    this.#assumed.add(info.key)
  }

  /** The API shows a Pod on the node that it was assumed on, unchanged in everything that scheduling reads. */
  confirm(pod: Frozen<Pod>, node: string): void {
    const key = podKey(pod)
    const known = this.#pods.get(key)
    if (known?.node !== node) return void this.setPod(pod, node)
    const info = { ...known.info, pod }
    this.#pods.set(key, { info, node })
    this.#assumed.delete(key)
    this.#byName.get(node)?.replace(info)
  }

  /** Labels of a namespace changed: selections by namespace labels choose other Pods now. */
  namespaceChanged(): void {
    this.#stale = true
  }

  removePod(key: string): void {
    const known = this.#pods.get(key)
    if (!known) return
    this.#pods.delete(key)
    this.#assumed.delete(key)
    const there = this.#byName.get(known.node)
    if (!there) return
    there.remove(known.info)
    this.#count(there, known.info, -1)
  }

  /** What scheduling asks of a Pod that is not on a node. */
  infoOf(pod: Frozen<Pod>): PodInfo {
    return newPodInfo(pod, this.#labelsOf)
  }

  #put(info: PodInfo, node: string): void {
    this.removePod(info.key)
    this.#pods.set(info.key, { info, node })
    const there = this.#byName.get(node)
    if (!there) return
    there.add(info)
    this.#count(there, info, 1)
  }

  #count(node: NodeInfo, info: PodInfo, sign: 1 | -1): void {
    if (this.#stale || node.index < 0) return
    this.counts.change(node.index, info, sign)
    for (const group of termGroups) for (const term of info[group]) this.#countTerm(group, term, node.index, sign)
  }

  #countTerm(group: TermGroup, term: AffinityTerm, index: number, sign: 1 | -1): void {
    const id = `${term.id}|${term.weight}`
    let holders = this.#terms[group].get(id)
    if (!holders)
      this.#terms[group].set(
        id,
        (holders = { term, counts: { perNode: new Int32Array(this.#nodes.length), total: 0 } }),
      )
    holders.counts.perNode[index]! += sign
    holders.counts.total += sign
    if (holders.counts.total === 0) this.#terms[group].delete(id)
  }

  #rebuild(): void {
    this.#stale = false
    this.epoch++
    this.#nodes = zonesInTurn([...this.#byName.values()])
    this.#nodes.forEach((node, i) => (node.index = i))
    this.counts.reset(this.#nodes)
    this.#imageNodes.clear()
    for (const group of termGroups) this.#terms[group].clear()
    for (const node of this.#nodes) {
      for (const name of node.images.keys()) this.#imageNodes.set(name, (this.#imageNodes.get(name) ?? 0) + 1)
      for (const info of node.pods.values())
        for (const group of termGroups) for (const term of info[group]) this.#countTerm(group, term, node.index, 1)
    }
  }
}

const zoneOf = ({ labels }: NodeInfo) =>
  `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`

function zonesInTurn(nodes: readonly NodeInfo[]): NodeInfo[] {
  const zones = [...Map.groupBy(nodes, zoneOf).values()]
  const out: NodeInfo[] = []
  for (let i = 0; out.length < nodes.length; i++) for (const zone of zones) if (zone[i]) out.push(zone[i]!)
  return out
}

function sameMap(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  if (a === b) return true
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
