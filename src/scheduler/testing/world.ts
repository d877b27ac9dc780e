/** Nodes, Pods and a world to schedule them in, for tests: what a test does not name has a usual value. */
import type { Node, Pod, PodSpec, Taint } from '../../api/generated/types/core-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { silentLogger } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { ObjectCache } from '../../client/informer/informer.ts'
import { ClusterCache } from '../cache/cluster-cache.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { findNode, type Found, type Search, type WeightedPlugin } from '../cycle/find-node.ts'
import { LocalResultsCache } from '../cycle/local-results.ts'
import { schedulerListers, type SchedulerListers } from '../listers.ts'
import { defaultPlugins } from '../plugins/defaults.ts'
import { VolumeDecisions } from '../volumes/volume-decisions.ts'

/** What a test says of a node. */
export interface NodeWishes {
  readonly labels?: Record<string, string>
  readonly taints?: Taint[]
  readonly unschedulable?: boolean
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: string
  readonly images?: { names: string[]; sizeBytes: number }[]
}

/** A node of 4 CPUs and 8 GiB, labelled with its name. */
export function aNode(
  name: string,
  { labels, taints, unschedulable, images, cpu = '4', memory = '8Gi', pods = '110' }: NodeWishes = {},
): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: { allocatable: { cpu, memory, pods }, ...(images && { images }) },
  }
}

/** What a test says of a Pod. */
export interface PodWishes extends Partial<PodSpec> {
  readonly labels?: Record<string, string>
  readonly namespace?: string
  readonly cpu?: string
  readonly memory?: string
  readonly hostPort?: number
  readonly node?: string
  readonly startTime?: string
}

/** A Pod with one container that asks for nothing. */
export function aPod(
  name: string,
  { labels, namespace = 'default', cpu, memory, hostPort, node, startTime, ...spec }: PodWishes = {},
): Pod {
  const requests = { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) }
  return {
    metadata: { name, namespace, uid: `uid-${namespace}-${name}`, ...(labels && { labels }) },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'app:1',
          resources: { requests },
          ...(hostPort !== undefined && { ports: [{ containerPort: hostPort, hostPort, protocol: 'TCP' }] }),
        },
      ],
      ...(node !== undefined && { nodeName: node }),
      ...spec,
    },
    status: { ...(startTime !== undefined && { startTime }) },
  }
}

/** A world without an API server: what `put` says is what the informers hold. */
export class TestWorld {
  readonly listers: SchedulerListers
  readonly cache: ClusterCache
  readonly volumes: VolumeDecisions
  readonly search: Search
  readonly #caches = new Map<Resource, ObjectCache<KubernetesObject>>()

  constructor(nodes: readonly Node[] = [], plugins: readonly WeightedPlugin[] = defaultPlugins) {
    this.listers = schedulerListers({ of: (resource) => this.#of(resource) })
    this.cache = new ClusterCache((namespace) => this.listers.namespaces.byKey(namespace)?.metadata.labels)
    this.volumes = new VolumeDecisions(this.listers)
    for (const node of nodes) this.cache.setNode(node)
    this.search = {
      plugins,
      world: this,
      random: seededRandom(1),
      local: new LocalResultsCache(),
      percentage: 100,
      nominated: new Map(),
      start: 0,
    }
  }

  /** An object that the API server has. */
  put<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>): void {
    this.#of(resource).put(object)
  }

  /** Pods on nodes. */
  running(...pods: readonly Pod[]): this {
    for (const pod of pods) this.cache.setPod(pod, pod.spec!.nodeName!)
    return this
  }

  /** Looks for a node. */
  find(pod: Frozen<Pod>): Found {
    return findNode(this.search, this.cache.infoOf(pod))
  }

  /** Looks for a node and takes it; undefined when there is none. */
  place(pod: Frozen<Pod>): string | undefined {
    const info: PodInfo = this.cache.infoOf(pod)
    const { node } = findNode(this.search, info)
    if (node) this.cache.assume(info, node.name)
    return node?.name
  }

  /** Why each node that does not take a Pod does not, by node; '*' for a reason that holds everywhere. */
  reasons(pod: Frozen<Pod>): Record<string, readonly string[]> {
    const found = this.find(pod)
    if (found.node) return {}
    if (found.everywhere) return { '*': found.everywhere.reasons }
    return Object.fromEntries([...found.rejections].map(([node, { reasons }]) => [node.name, reasons]))
  }

  #of<T extends KubernetesObject>(resource: Resource<T>): ObjectCache<T> {
    let cache = this.#caches.get(resource)
    if (!cache)
      this.#caches.set(resource, (cache = new ObjectCache<KubernetesObject>(resource as Resource, silentLogger)))
    return cache as unknown as ObjectCache<T>
  }
}
