import type { Frozen } from '../../api/resource.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { HostPort, PodInfo } from './pod-info.ts'
import { addResources, amountOf, noResources, resourcesOf, type Resources } from './resources.ts'

const noLabels: Readonly<Record<string, string>> = {}

/** A node with what runs on it. Its `generation` changes with everything that a plugin could see. */
export class NodeInfo {
  node: Frozen<Node>
  readonly name: string
  labels: Readonly<Record<string, string>> = noLabels
  /** Its place in the cluster's list of nodes; changes only with the cluster's epoch. */
  index = -1
  generation = 0
  readonly pods = new Map<string, PodInfo>()
  readonly requested: Resources = noResources()
  readonly scoringRequested: Resources = noResources()
  allocatable: Resources
  podsMax: number
  readonly #ports = new Map<string, number>()
  /** Image sizes by every name. */
  images: ReadonlyMap<string, number>

  constructor(node: Frozen<Node>) {
    this.node = node
    this.name = node.metadata.name ?? ''
    this.allocatable = noResources()
    this.podsMax = 0
    this.images = new Map()
    this.update(node)
  }

  /** Takes over a newer state of the node object. */
  update(node: Frozen<Node>): void {
    this.node = node
    this.labels = node.metadata.labels ?? noLabels
    const allocatable = node.status?.allocatable ?? node.status?.capacity
    this.allocatable = resourcesOf(allocatable)
    this.podsMax = allocatable?.['pods'] === undefined ? 0 : amountOf('pods', allocatable['pods'])
    this.images = new Map(
      (node.status?.images ?? []).flatMap(({ names, sizeBytes }) =>
        (names ?? []).map((name) => [name, sizeBytes ?? 0] as const),
      ),
    )
    this.generation++
  }

  add(pod: PodInfo): void {
    this.pods.set(pod.key, pod)
    this.#count(pod, 1)
  }

  remove(pod: PodInfo): void {
    if (this.pods.delete(pod.key)) this.#count(pod, -1)
  }

  /** A Pod that is here is known better now; it takes and counts the same. */
  replace(pod: PodInfo): void {
    this.pods.set(pod.key, pod)
  }

  /** Whether a port is taken; an unspecified address collides with every address. */
  hasPort({ ip, protocol, port }: HostPort): boolean {
    if (this.#ports.size === 0) return false
    if (ip !== '0.0.0.0')
      return this.#ports.has(`${ip} ${protocol} ${port}`) || this.#ports.has(`0.0.0.0 ${protocol} ${port}`)
    const end = ` ${protocol} ${port}`
    for (const key of this.#ports.keys()) if (key.endsWith(end)) return true
    return false
  }

  /** A copy to try things on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node)
    copy.index = this.index
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    addResources(this.requested, pod.requests, sign)
    addResources(this.scoringRequested, pod.scoringRequests, sign)
    for (const { ip, protocol, port } of pod.hostPorts) {
      const key = `${ip} ${protocol} ${port}`
      const left = (this.#ports.get(key) ?? 0) + sign
      if (left > 0) this.#ports.set(key, left)
      else this.#ports.delete(key)
    }
    this.generation++
  }
}
