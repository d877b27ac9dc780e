import { isNotFound } from '../../api/errors/api-error.ts'
import { leases, nodes, pods } from '../../api/generated/resources.ts'
import type { Lease } from '../../api/generated/types/coordination-v1.ts'
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import type { Informer } from '../../client/informer/informers.ts'
import { labelsOf, nameOf, namespaceOf, timestamp, uidOf } from '../../client/object.ts'
import { tokenBucket, type TokenBucket } from '../../client/queue/rate-limiter.ts'
import { WorkQueue } from '../../client/queue/work-queue.ts'
import { conditionOf, isTrue } from '../framework/conditions.ts'
import type { ControllerDescriptor, Running, StartContext } from '../framework/descriptor.ts'
import { podCondition } from '../framework/pod.ts'
import { periodically, type Periodic } from '../framework/periodic.ts'
import { indexPodsByNode, podsOnNode } from '../framework/pods-on-node.ts'
import { NodeHealth, silentConditions } from './node-health.ts'
import {
  changeTaints,
  hasNoExecute,
  noExecuteKey,
  notReadyTaint,
  unreachableTaint,
  withNoExecuteTaint,
  withNoScheduleTaints,
} from './taints.ts'
import { evictionRate, nodesByZone, stateOf, zoneOf, type ZoneState } from './zones.ts'

type FrozenNode = Frozen<Node>

/** Notices nodes that fell silent, says so on them and their pods, and taints them, so that pods move to others. */
export const nodeLifecycleController: ControllerDescriptor = {
  name: 'node-lifecycle-controller',
  start: (context) => new NodeLifecycle(context),
}

const leaseNamespace = 'kube-node-lease'
const parallel = 8
const healthBuckets = [0.01, 0.04, 0.16, 0.64, 2.56, 10.24, 40.96, 163.84]
/** The labels that the kubelet sets, and their old names. */
const oldLabels = {
  'kubernetes.io/os': 'beta.kubernetes.io/os',
  'kubernetes.io/arch': 'beta.kubernetes.io/arch',
} as const

interface Zone {
  rate: number
  bucket: TokenBucket
  state: ZoneState | undefined
}

class NodeLifecycle implements Running {
  readonly ready: Promise<void>
  readonly #context: StartContext
  readonly #nodes: Informer<Node>
  readonly #pods: Informer<Pod>
  readonly #leases: Informer<Lease>
  readonly #health = new NodeHealth()
  /** Names and UIDs of nodes that were greeted. */
  readonly #known = new Map<string, string>()
  readonly #zones = new Map<string, Zone>()
  readonly #taintQueue: WorkQueue
  readonly #podQueue: WorkQueue
  #monitor: Periodic | undefined
  #closed = false

  constructor(context: StartContext) {
    const log = context.log.child({ controller: nodeLifecycleController.name })
    this.#context = { ...context, log }
    this.#nodes = context.informers.of(nodes)
    this.#pods = context.informers.of(pods)
    this.#leases = context.informers.of(leases, { namespace: leaseNamespace })
    this.#taintQueue = new WorkQueue({ deps: this.#context, name: 'node_lifecycle_controller' })
    this.#podQueue = new WorkQueue({ deps: this.#context, name: 'node_lifecycle_controller_pods' })
    this.ready = this.#start()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#monitor?.close(), this.#taintQueue.close(), this.#podQueue.close()])
  }

  async #start(): Promise<void> {
    indexPodsByNode(this.#pods)
    const enqueue = (node: FrozenNode) => this.#taintQueue.add(nameOf(node))
    this.#nodes.on({ added: enqueue, updated: enqueue })
    const bound = (pod: Frozen<Pod>) => this.#podQueue.add(`${namespaceOf(pod)}/${nameOf(pod)}`)
    this.#pods.on({
      added: bound,
      updated: (pod, old) => void (pod.spec?.nodeName !== old.spec?.nodeName && bound(pod)),
    })
    await Promise.all([this.#nodes.synced, this.#pods.synced, this.#leases.synced])
    if (this.#closed) return
    this.#taintQueue.run(parallel, (name) => this.#refresh(name))
    this.#podQueue.run(parallel, (key) => this.#checkPod(key))
    this.#monitor = periodically(this.#context, this.#context.options.nodeMonitorPeriodMs, () => this.#look())
  }

  /** One look at all nodes. */
  async #look(): Promise<void> {
    const { clock, metrics } = this.#context
    const startedMs = clock.now()
    const all = this.#nodes.list()
    this.#greet(all)
    const current = await Promise.all(all.map((node) => this.#check(node)))
    metrics
      .histogram(
        'node_collector_update_all_nodes_health_duration_seconds',
        'Duration in seconds for NodeController to update the health of all nodes.',
        healthBuckets,
      )
      .observe((clock.now() - startedMs) / 1000)
    await this.#judgeZones(current)
  }

  #greet(all: readonly FrozenNode[]): void {
    const names = new Set(all.map(nameOf))
    for (const node of all) {
      if (this.#known.has(nameOf(node))) continue
      this.#known.set(nameOf(node), uidOf(node))
      this.#tell(node, 'RegisteredNode', `Node ${nameOf(node)} event: Registered Node ${nameOf(node)} in Controller`)
    }
    for (const [name, uid] of this.#known) {
      if (names.has(name)) continue
      this.#known.delete(name)
      this.#health.forget(name)
      this.#tell(
        { metadata: { name, uid } },
        'RemovingNode',
        `Node ${name} event: Removing Node ${name} from Controller`,
      )
    }
  }

  /** Looks whether one node lives; gives it as it is then. */
  async #check(node: FrozenNode): Promise<FrozenNode> {
    const { clock, client, options, log } = this.#context
    const nowMs = clock.now()
    const lease = this.#leases.get({ namespace: leaseNamespace, name: nameOf(node) })
    const seenMs = this.#health.observe(node, lease, nowMs)
    const wasReady = isTrue(node.status?.conditions, 'Ready')
    const graceMs = conditionOf(node.status?.conditions, 'Ready')
      ? options.nodeMonitorGracePeriodMs
      : options.nodeStartupGracePeriodMs
    let current = node
    try {
      const conditions = nowMs - seenMs > graceMs ? silentConditions(node, nowMs) : undefined
      if (conditions) current = await client.updateStatus(nodes, { ...node, status: { ...node.status, conditions } })
      if (wasReady && !isTrue(current.status?.conditions, 'Ready'))
        this.#tell(current, 'NodeNotReady', `Node ${nameOf(node)} status is now: NodeNotReady`)
      // A kubelet that does post tells of its pods itself.
      if (conditionOf(current.status?.conditions, 'Ready')?.status === 'Unknown') await this.#markPods(current)
      return await this.#taint(current)
    } catch (error) {
      log.debug({ err: error, node: nameOf(node) }, "a node's health could not be written; it is tried again")
      return current
    }
  }

  /** Pods on a node that does not answer do not serve. */
  async #markPods(node: FrozenNode): Promise<void> {
    for (const pod of podsOnNode(this.#pods, nameOf(node))) await this.#markPod(pod)
  }

  async #markPod(pod: Frozen<Pod>): Promise<void> {
    const { client, clock, recorder } = this.#context
    const ready = podCondition(pod, 'Ready')
    if (ready?.status !== 'True') return
    recorder('node-controller').event(
      pod.kind ? pod : { ...pod, kind: 'Pod', apiVersion: 'v1' },
      'Warning',
      'NodeNotReady',
      'Node is not ready',
    )
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: timestamp(clock.now()) }
    try {
      await client.patch(
        pods,
        keyOf(pod),
        { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } },
        { type: 'strategic', subresource: 'status' },
      )
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** A pod that was bound to a silent node. */
  async #checkPod(key: string): Promise<void> {
    const pod = this.#pods.byKey(key)
    const node = pod?.spec?.nodeName ? this.#nodes.get({ name: pod.spec.nodeName }) : undefined
    const silent = node && conditionOf(node.status?.conditions, 'Ready') && !isTrue(node.status?.conditions, 'Ready')
    if (pod && silent) await this.#markPod(pod)
    this.#podQueue.forget(key)
  }

  /** NoExecute taints, so many a second. */
  async #taint(node: FrozenNode): Promise<FrozenNode> {
    const { clock, client, metrics } = this.#context
    const nowMs = clock.now()
    const key = noExecuteKey(node)
    const other = key === notReadyTaint ? unreachableTaint : notReadyTaint
    // A node that has one of the two already was counted when it got it.
    const counted = key !== undefined && !hasNoExecute(node, key) && !hasNoExecute(node, other)
    if (counted && !this.#zone(zoneOf(node)).bucket.take()) return node
    if (counted)
      metrics
        .counter(
          'node_collector_evictions_total',
          'Number of Node evictions that happened since current instance of NodeController started.',
        )
        .add({ zone: zoneOf(node) })
    return changeTaints(client, node, (current) => withNoExecuteTaint(current, key, nowMs))
  }

  async #judgeZones(all: readonly FrozenNode[]): Promise<void> {
    const { options, clock, metrics } = this.#context
    const before = [...this.#zones.values()]
    const wereAllDown = before.length > 0 && before.every(({ state }) => state === 'FullDisruption')
    const states = [...nodesByZone(all)].map(([name, members]) => ({
      name,
      size: members.length,
      ...stateOf(members, options.unhealthyZoneThreshold),
    }))
    const areAllDown = states.length > 0 && states.every(({ state }) => state === 'FullDisruption')
    for (const { name, size, unhealthy, state } of states) {
      const zone = this.#zone(name)
      zone.state = state
      this.#setRate(zone, areAllDown ? 0 : evictionRate(state, size, options))
      metrics
        .gauge('node_collector_zone_size', 'Gauge measuring number of registered Nodes per zones.')
        .set(size, { zone: name })
      metrics
        .gauge('node_collector_zone_health', 'Gauge measuring percentage of healthy nodes per zone.')
        .set((100 * (size - unhealthy)) / size, { zone: name })
      metrics
        .gauge('node_collector_unhealthy_nodes_in_zone', 'Gauge measuring number of not Ready Nodes per zones.')
        .set(unhealthy, { zone: name })
    }
    for (const name of this.#zones.keys()) if (!states.some((state) => state.name === name)) this.#zones.delete(name)
    // When nobody answers, it is more likely that we are cut off: no pod is moved.
    if (areAllDown && !wereAllDown) for (const node of all) await this.#untaint(node)
    if (wereAllDown && !areAllDown) this.#health.restart(clock.now())
  }

  async #untaint(node: FrozenNode): Promise<void> {
    try {
      await changeTaints(this.#context.client, node, (current) =>
        withNoExecuteTaint(current, undefined, this.#context.clock.now()),
      )
    } catch (error) {
      this.#context.log.debug({ err: error, node: nameOf(node) }, 'taints could not be removed; it is tried again')
    }
  }

  #zone(name: string): Zone {
    let zone = this.#zones.get(name)
    if (!zone) {
      const rate = this.#context.options.nodeEvictionRate
      this.#zones.set(name, (zone = { rate, bucket: tokenBucket(this.#context.clock, rate, 1), state: undefined }))
    }
    return zone
  }

  #setRate(zone: Zone, rate: number): void {
    if (zone.rate === rate) return
    zone.rate = rate
    zone.bucket = rate > 0 ? tokenBucket(this.#context.clock, rate, 1) : { reserve: () => Infinity, take: () => false }
  }

  /** What follows from the node alone: NoSchedule taints and old names of labels. */
  async #refresh(name: string): Promise<void> {
    const node = this.#nodes.get({ name })
    if (!node) return this.#taintQueue.forget(name)
    try {
      await changeTaints(this.#context.client, node, (current) =>
        withNoScheduleTaints(current, this.#context.clock.now()),
      )
      await this.#syncLabels(node)
      this.#taintQueue.forget(name)
    } catch (error) {
      this.#context.log.debug({ err: error, node: name }, 'a node could not be changed; it is tried again')
      this.#taintQueue.addRateLimited(name)
    }
  }

  async #syncLabels(node: FrozenNode): Promise<void> {
    const labels = labelsOf(node)
    const missing = Object.entries(oldLabels).flatMap(([primary, secondary]) => {
      const value = labels[primary]
      return value !== undefined && labels[secondary] !== value ? [[secondary, value]] : []
    })
    if (missing.length > 0)
      await this.#context.client.patch(
        nodes,
        { name: nameOf(node) },
        { metadata: { labels: Object.fromEntries(missing) } },
        { type: 'strategic' },
      )
  }

  #tell(node: FrozenNode, reason: string, message: string): void {
    const reference = { kind: 'Node', apiVersion: 'v1', name: nameOf(node), uid: uidOf(node) }
    this.#context.recorder('node-controller').event({ reference }, 'Normal', reason, message)
  }
}
