import type { Frozen, KubernetesObject } from '../api/resource.ts'
import type { Pod } from '../api/generated/types/core-v1.ts'
import { pods } from '../api/generated/resources.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { eventRecorder, referenceTo, type EventRecorder } from '../client/events/recorder.ts'
import { Informers } from '../client/informer/informers.ts'
import { ClusterCache } from './cache/cluster-cache.ts'
import type { NodeInfo } from './cache/node-info.ts'
import { isFinished, podKey, type PodInfo } from './cache/pod-info.ts'
import { podRequests, sameResources } from './cache/resources.ts'
import { bind, evict, tellFailure } from './cycle/bind.ts'
import { failureText } from './cycle/failure-text.ts'
import { findNode, type Found, type Search } from './cycle/find-node.ts'
import { LocalResultsCache } from './cycle/local-results.ts'
import { planPreemption } from './cycle/preemption.ts'
import type { Plugin, World } from './framework.ts'
import { schedulerListers, type SchedulerListers } from './listers.ts'
import { schedulerMetrics, type SchedulerMetrics } from './metrics.ts'
import { profilesOf, type SchedulerConfiguration } from './configuration.ts'
import { VolumeDecisions } from './volumes/volume-decisions.ts'
import { SchedulingQueue, type QueuedPod } from './queue/scheduling-queue.ts'

/** How a scheduler runs. */
export interface SchedulerOptions extends Deps {
  readonly client: Client
  /** Shared ones of the process; its own when absent. */
  readonly informers?: Informers
  /** KubeSchedulerConfiguration; upstream's defaults when absent. */
  readonly config?: SchedulerConfiguration
}

/** A running scheduler. */
export interface Scheduler {
  close(): Promise<void>
}

/** So many bindings are written at once: enough for thousands a second, and over HTTPS each needs a connection. */
const bindingsMax = 16
/** After so long without a turn for others, the loop yields. */
const turnMs = 4

/** Starts scheduling: each Pod that names this scheduler and has no node gets the one that suits it best. */
export async function startScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const own = options.informers === undefined ? new Informers({ deps: options, client: options.client }) : undefined
  const informers = options.informers ?? own!
  const scheduler = new RunningScheduler(options, schedulerListers(informers))
  await informers.synced()
  scheduler.start()
  return {
    async close() {
      await scheduler.close()
      await own?.close()
    },
  }
}

class RunningScheduler {
  readonly #options: SchedulerOptions
  readonly #world: World
  readonly #queue: SchedulingQueue
  /** By scheduler name: how its Pods are scheduled, and who tells of it. */
  readonly #profiles = new Map<string, { readonly search: Search; readonly events: EventRecorder }>()
  readonly #metrics: SchedulerMetrics
  /** Pods that were promised a node, by node. */
  readonly #nominated = new Map<string, Map<string, PodInfo>>()
  readonly #stops: (() => void)[] = []
  readonly #closed = new AbortController()
  readonly #binding = new Set<Promise<void>>()
  /** Bindings that are being written; waiting for volumes does not count. */
  #writing = 0
  #wake = () => {}
  #loop: Promise<void> = Promise.resolve()

  constructor(options: SchedulerOptions, listers: SchedulerListers) {
    this.#options = options
    const cache = new ClusterCache((namespace) => listers.namespaces.byKey(namespace)?.metadata.labels)
    this.#world = { cache, listers, volumes: new VolumeDecisions(listers) }
    const config = options.config ?? {}
    const profiles = profilesOf(config)
    const backoff = {
      firstMs: (config.podInitialBackoffSeconds || 1) * 1000,
      maxMs: (config.podMaxBackoffSeconds || 10) * 1000,
    }
    // Hints and gates are asked for by plugin name: the first profile that has a plugin stands for all.
    const plugins = new Map(profiles.flatMap((profile) => profile.plugins.map(({ plugin }) => [plugin.name, plugin])))
    this.#queue = new SchedulingQueue(options.clock, [...plugins.values()], backoff)
    this.#metrics = schedulerMetrics(options, () => this.#queue.sizes())
    for (const { schedulerName, plugins: chosen, percentageOfNodesToScore: percentage } of profiles) {
      this.#profiles.set(schedulerName, {
        search: {
          plugins: chosen,
          world: this.#world,
          random: options.random,
          local: new LocalResultsCache(),
          percentage,
          nominated: this.#nominated,
          start: 0,
        },
        events: eventRecorder({ deps: options, client: options.client, component: schedulerName }),
      })
    }
  }

  start(): void {
    const { listers, cache } = this.#world
    const { nodes } = listers
    this.#stops.push(
      nodes.on({
        added: (node) => {
          cache.setNode(node)
          this.#queue.moved('Node/Add', node)
        },
        updated: (node, old) => {
          cache.setNode(node)
          if (nodeChanged(node, old)) this.#queue.moved('Node/Update', node, old)
        },
        deleted: (node) => {
          cache.removeNode(node.metadata.name ?? '')
          this.#queue.moved('Node/Delete', node)
        },
      }),
      listers.pods.on({
        added: (pod) => this.#podSet(pod, undefined),
        updated: (pod, old) => this.#podSet(pod, old),
        deleted: (pod) => this.#podGone(pod),
      }),
      ...(
        [
          ['PersistentVolumeClaim', listers.persistentVolumeClaims],
          ['PersistentVolume', listers.persistentVolumes],
          ['StorageClass', listers.storageClasses],
          ['CSINode', listers.csiNodes],
          ['CSIDriver', listers.csiDrivers],
          ['CSIStorageCapacity', listers.csiStorageCapacities],
          ['VolumeAttachment', listers.volumeAttachments],
          ['Namespace', listers.namespaces],
        ] as const
      ).map(([kind, informer]) =>
        informer.on({
          added: (object: Frozen<object>) => this.#queue.moved(`${kind}/Add`, object),
          updated: (object: Frozen<KubernetesObject>, old: Frozen<KubernetesObject>) => {
            // Which Pods a term by namespace labels chooses has changed.
            if (kind === 'Namespace' && !sameText(object.metadata?.labels, old.metadata?.labels))
              cache.namespaceChanged()
            this.#queue.moved(`${kind}/Update`, object, old)
          },
          deleted: (object: Frozen<object>) => this.#queue.moved(`${kind}/Delete`, object),
        }),
      ),
    )
    this.#loop = this.#run()
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the scheduler is closed'))
    for (const stop of this.#stops) stop()
    this.#queue.close()
    await this.#loop
    await Promise.all(this.#binding)
    await Promise.all([...this.#profiles.values()].map(({ events }) => events.close()))
  }

  // ---------------------------------------------------------------- what the API tells

  #podSet(pod: Frozen<Pod>, old: Frozen<Pod> | undefined): void {
    const key = podKey(pod)
    const { cache } = this.#world
    if (pod.spec?.nodeName) return this.#onNode(key, pod, pod.spec.nodeName, old)
    if (isFinished(pod) || pod.metadata.deletionTimestamp) return this.#podGone(pod)
    if (!this.#profiles.has(nameOf(pod)) || cache.isAssumed(key)) return
    const info = cache.infoOf(pod)
    this.#promise(key, pod.status?.nominatedNodeName, info)
    const gate = this.#queue.add(info)
    if (gate && !old) this.#tell(pod, 'SchedulingGated', gate.reasons.join(', '))
  }

  #onNode(key: string, pod: Frozen<Pod>, node: string, old: Frozen<Pod> | undefined): void {
    const { cache } = this.#world
    this.#queue.delete(key)
    this.#promise(key, undefined)
    if (isFinished(pod)) return this.#left(key, pod)
    const known = cache.pod(key)
    const changed = !known || bearsOnOthers(pod, known)
    if (known && cache.isAssumed(key) && !changed) {
      cache.confirm(pod, node)
      this.#queue.moved('AssignedPod/Add', pod)
      return
    }
    // Most updates of a running Pod are of its status, of which only resizes matter.
    if (!changed) return
    cache.setPod(pod, node)
    if (!known) this.#queue.moved('AssignedPod/Add', pod)
    else if (old?.spec?.nodeName) this.#queue.moved('AssignedPod/Update', pod, old)
  }

  /** How a Pod is scheduled: only Pods of known profiles are queued. */
  #profile(pod: Frozen<Pod>): { readonly search: Search; readonly events: EventRecorder } {
    return this.#profiles.get(nameOf(pod))!
  }

  #podGone(pod: Frozen<Pod>): void {
    const key = podKey(pod)
    this.#queue.delete(key)
    this.#promise(key, undefined)
    this.#left(key, pod)
    // Others have counted it as if it were there already.
    if (!pod.spec?.nodeName && pod.status?.nominatedNodeName) this.#queue.moved('AssignedPod/Delete', pod)
  }

  #left(key: string, pod: Frozen<Pod>): void {
    const { cache } = this.#world
    if (!cache.pod(key)) return
    cache.removePod(key)
    this.#queue.moved('AssignedPod/Delete', pod)
  }

  /** A node is promised to a Pod, or no longer. */
  #promise(key: string, node: string | undefined, info?: PodInfo): void {
    for (const [name, promised] of this.#nominated)
      if (name !== node && promised.delete(key) && promised.size === 0) this.#nominated.delete(name)
    if (!node || !info) return
    if (!this.#nominated.has(node)) this.#nominated.set(node, new Map())
    this.#nominated.get(node)!.set(key, info)
  }

  // ---------------------------------------------------------------- one Pod after the other

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    let turnSinceMs = clock.now()
    for (;;) {
      const entry = await this.#queue.next()
      if (!entry) return
      const startMs = clock.now()
      try {
        this.#cycle(entry, startMs)
      } catch (error) {
        log.error({ err: error, pod: entry.info.key }, 'scheduling failed')
        this.#erred(entry, startMs, error)
      }
      if (this.#writing >= bindingsMax) await new Promise<void>((resolve) => (this.#wake = resolve))
      else if (clock.now() - turnSinceMs >= turnMs) await clock.yield()
      else continue
      turnSinceMs = clock.now()
    }
  }

  #cycle(entry: QueuedPod, startMs: number): void {
    const { info } = entry
    const found = findNode(this.#profile(info.pod).search, info)
    if (!found.node) {
      this.#didNotFit(entry, found)
      this.#metrics.attempt('unschedulable', nameOf(info.pod), startMs)
      return
    }
    this.#metrics.found(startMs)
    const { node } = found
    this.#world.cache.assume(info, node.name)
    this.#promise(info.key, undefined)
    const binding = this.#bind(entry, node, found, startMs).finally(() => this.#binding.delete(binding))
    this.#binding.add(binding)
  }

  async #bind(entry: QueuedPod, node: NodeInfo, { states }: Found, startMs: number): Promise<void> {
    const { client, log } = this.#options
    const { info } = entry
    const { search, events } = this.#profile(info.pod)
    const reserved: Plugin[] = []
    try {
      for (const { plugin } of search.plugins) {
        if (!plugin.reserve && !plugin.preBind) continue
        const refused = plugin.reserve?.(info, node, this.#world, states.get(plugin))
        if (refused) throw new Error(refused.reasons.join(', '))
        reserved.push(plugin)
      }
      const means = { client, clock: this.#options.clock, signal: this.#closed.signal }
      for (const plugin of reserved) await plugin.preBind?.(info, node, this.#world, means)
      this.#writing++
      await bind(client, info, node.name).finally(() => this.#written())
      this.#queue.done(entry)
      this.#metrics.attempt('scheduled', nameOf(info.pod), startMs)
      this.#metrics.scheduled(entry)
      events.event(
        referenceTo(pods, info.pod),
        'Normal',
        'Scheduled',
        `Successfully assigned ${info.key} to ${node.name}`,
      )
    } catch (error) {
      if (this.#closed.signal.aborted) return
      log.warn({ err: error, pod: info.key, node: node.name }, 'binding failed')
      for (const plugin of reserved.reverse()) plugin.unreserve?.(info, node, this.#world)
      // The Pod may have been bound or removed by somebody else: then the cache has heard of it.
      if (this.#world.cache.isAssumed(info.key)) {
        this.#world.cache.removePod(info.key)
        this.#queue.moved('AssignedPod/Delete', info.pod)
      }
      this.#erred(entry, startMs, error)
    }
  }

  /** It is not for lack of room: the Pod is tried again after its back-off. */
  #erred(entry: QueuedPod, startMs: number, error: unknown): void {
    const { pod } = entry.info
    this.#queue.failed(entry, new Set())
    this.#metrics.attempt('error', nameOf(pod), startMs)
    this.#tell(pod, 'SchedulerError', error instanceof Error ? error.message : String(error))
  }

  #written(): void {
    this.#writing--
    this.#wake()
  }

  #didNotFit(entry: QueuedPod, found: Extract<Found, { node: undefined }>): void {
    const { info } = entry
    const { cache } = this.#world
    const plugins = new Set(
      [...(found.everywhere ? [found.everywhere] : found.rejections.values())].flatMap(({ plugin }) => plugin ?? []),
    )
    const preemption =
      found.everywhere || cache.nodes.length === 0
        ? undefined
        : planPreemption(this.#profile(info.pod).search, found.states, info, found.rejections)
    if (preemption) this.#metrics.preemption(preemption.candidate?.victims.length ?? 0)
    const message = failureText(
      cache.nodes.length,
      found.rejections,
      found.everywhere,
      preemption && !preemption.candidate ? preemption.why : '',
    )
    // A cluster without nodes rejects by no plugin: any node may help.
    this.#queue.failed(entry, plugins.size > 0 ? plugins : new Set(['NodeName', 'NodeResourcesFit']))
    this.#profile(info.pod).events.event(referenceTo(pods, info.pod), 'Warning', 'FailedScheduling', message)
    const candidate = preemption?.candidate
    if (candidate) this.#promise(info.key, candidate.node.name, info)
    const work = this.#preempt(info, candidate, message).finally(() => this.#binding.delete(work))
    this.#binding.add(work)
  }

  async #preempt(
    info: PodInfo,
    candidate: NonNullable<ReturnType<typeof planPreemption>['candidate']> | undefined,
    message: string,
  ): Promise<void> {
    const { client, clock, log } = this.#options
    try {
      await tellFailure(client, clock, info.pod, {
        reason: 'Unschedulable',
        message,
        ...(candidate && { nominatedNodeName: candidate.node.name }),
      })
      if (!candidate) return
      await evict(client, clock, candidate, nameOf(info.pod))
      for (const { pod } of candidate.victims) {
        this.#profile(info.pod).events.event(
          referenceTo(pods, pod),
          'Normal',
          'Preempted',
          `Preempted by pod ${info.uid} on node ${candidate.node.name}`,
        )
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) log.warn({ err: error, pod: info.key }, 'telling why a Pod has no node failed')
    }
  }

  #tell(pod: Frozen<Pod>, reason: string, message: string): void {
    const { client, clock, log } = this.#options
    if (reason === 'SchedulerError')
      this.#profile(pod).events.event(referenceTo(pods, pod), 'Warning', 'FailedScheduling', message)
    const work = tellFailure(client, clock, pod, { reason, message })
      .catch((error: unknown) => {
        if (!this.#closed.signal.aborted)
          log.warn({ err: error, pod: podKey(pod) }, 'telling why a Pod has no node failed')
      })
      .finally(() => this.#binding.delete(work))
    this.#binding.add(work)
  }
}

const nameOf = (pod: Frozen<Pod>): string => pod.spec?.schedulerName ?? 'default-scheduler'

const sameText = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** Whether something of a node changed that a plugin reads: heartbeats alone change nothing. */
function nodeChanged(
  node: Frozen<{ metadata: object; spec?: object; status?: { allocatable?: object; images?: readonly object[] } }>,
  old: typeof node,
): boolean {
  const seen = ({ metadata, spec, status }: typeof node) =>
    JSON.stringify([(metadata as { labels?: object }).labels, spec, status?.allocatable, status?.images?.length])
  return seen(node) !== seen(old)
}

/** Whether an update of a Pod on a node changes what it takes or how it counts. */
function bearsOnOthers(pod: Frozen<Pod>, { pod: known, requests }: PodInfo): boolean {
  if (
    pod.metadata.labels !== known.metadata.labels &&
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(known.metadata.labels)
  )
    return true
  if (pod.metadata.deletionTimestamp !== known.metadata.deletionTimestamp || pod.metadata.uid !== known.metadata.uid)
    return true
  if (pod.spec !== known.spec && JSON.stringify(pod.spec?.containers) !== JSON.stringify(known.spec?.containers))
    return true
  return !sameResources(podRequests(pod, false), requests)
}
