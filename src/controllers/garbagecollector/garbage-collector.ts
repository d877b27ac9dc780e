import { ApiError, isConflict } from '../../api/errors/api-error.ts'
import { apiServices, customResourceDefinitions } from '../../api/generated/resources.ts'
import type { OwnerReference } from '../../api/generated/types/meta-v1.ts'
import type { Frozen, Resource } from '../../api/resource.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { discover, type DiscoveredResource } from '../../client/discovery.ts'
import { uidOf } from '../../client/object.ts'
import { WorkQueue } from '../../client/queue/work-queue.ts'
import type { ControllerDescriptor, Running, StartContext } from '../framework/descriptor.ts'
import { attemptToDelete, orphanDependents, ScopeError, UnknownKindError, type Collecting } from './collect.ts'
import { OwnerGraph, type Coordinates, type GraphNode } from './graph.ts'

/** Deletes what nobody owns any more. Watches the metadata of every resource there is, custom ones included. */
export const garbageCollectorController: ControllerDescriptor = {
  name: 'garbage-collector-controller',
  start: (context) => new GarbageCollector(context),
}

/** Events have no owners, and there are many. */
const ignored = new Set(['/events', 'events.k8s.io/events'])
/** New resources are looked for when a definition changes, this much later, and anyway this often. */
const settleMs = 500
const resyncMs = 60_000
/** A resource that cannot be listed must not keep the others from being collected. Upstream: 30 s. */
const syncTimeoutMs = 30_000

class GarbageCollector implements Running {
  readonly ready: Promise<void>
  readonly #context: StartContext
  readonly #graph: OwnerGraph
  readonly #collecting: Collecting
  readonly #deleteQueue: WorkQueue
  readonly #orphanQueue: WorkQueue
  /** What is watched, by 'apps/deployments', with what ends it. */
  readonly #monitors = new Map<
    string,
    { readonly resource: DiscoveredResource; readonly synced: Promise<void>; readonly stop: () => void }
  >()
  /** By 'apps/v1/Deployment': every version that is served. */
  #kinds = new Map<string, Resource>()
  readonly #stop = new AbortController()
  #resyncing: Promise<void> = Promise.resolve()

  constructor(context: StartContext) {
    const deps = { ...context, log: context.log.child({ controller: garbageCollectorController.name }) }
    this.#context = { ...context, log: deps.log }
    this.#deleteQueue = new WorkQueue({ deps, name: 'garbage_collector_attempt_to_delete' })
    this.#orphanQueue = new WorkQueue({ deps, name: 'garbage_collector_attempt_to_orphan' })
    const attempt = (node: GraphNode) => this.#deleteQueue.add(node.coordinates.uid)
    this.#graph = new OwnerGraph({
      attemptToDelete: attempt,
      attemptToOrphan: (node) => this.#orphanQueue.add(node.coordinates.uid),
      misreferred: ({ coordinates }, owner) => this.#tellMisreferred(coordinates, owner),
    })
    this.#collecting = {
      client: context.client,
      graph: this.#graph,
      resourceOf: (apiVersion, kind) => this.#kinds.get(`${apiVersion}/${kind}`),
      attemptToDelete: attempt,
    }
    this.ready = this.#start()
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the garbage collector is closed'))
    for (const { stop } of this.#monitors.values()) stop()
    await Promise.all([this.#deleteQueue.close(), this.#orphanQueue.close()])
    await this.#resyncing
  }

  async #start(): Promise<void> {
    const { clock, options, informers } = this.#context
    await this.#resync()
    const allSynced = Promise.all([...this.#monitors.values()].map(({ synced }) => synced))
    const waiting = new AbortController()
    await Promise.race([
      allSynced,
      clock.sleep(syncTimeoutMs, AbortSignal.any([this.#stop.signal, waiting.signal])).catch(() => undefined),
    ])
    waiting.abort()
    if (this.#stop.signal.aborted) return
    this.#deleteQueue.run(options.concurrentGcSyncs, (uid) => this.#work(uid, this.#deleteQueue, attemptToDelete))
    this.#orphanQueue.run(options.concurrentGcSyncs, (uid) => this.#work(uid, this.#orphanQueue, orphanDependents))
    let pending = false
    const soon = () => {
      if (pending) return
      pending = true
      clock.after(settleMs, () => {
        pending = false
        this.#later()
      })
    }
    const handler = { added: soon, updated: soon, deleted: soon }
    informers.of(customResourceDefinitions).on(handler)
    informers.of(apiServices).on(handler)
    this.#again()
  }

  #again(): void {
    this.#context.clock.after(resyncMs, () => {
      if (this.#stop.signal.aborted) return
      this.#later()
      this.#again()
    })
  }

  #later(): void {
    this.#resyncing = this.#resyncing.then(() => this.#resync())
  }

  /** Watches exactly what is served now. */
  async #resync(): Promise<void> {
    if (this.#stop.signal.aborted) return
    const { client, log, metrics } = this.#context
    try {
      const { resources, failed } = await discover(client, this.#stop.signal)
      this.#kinds = new Map(resources.map((resource) => [`${apiVersionOf(resource)}/${resource.kind}`, resource]))
      const unknown = new Set(failed.map(({ groupVersion }) => groupVersion))
      const wanted = new Map(
        resources.filter(isCollectable).map((resource) => [`${resource.group}/${resource.plural}`, resource]),
      )
      for (const [id, resource] of wanted) {
        const running = this.#monitors.get(id)
        if (running && running.resource.version !== resource.version) this.#drop(id)
        if (!this.#monitors.has(id)) this.#monitor(id, resource)
      }
      for (const [id, { resource }] of this.#monitors)
        if (!wanted.has(id) && !unknown.has(apiVersionOf(resource))) this.#drop(id)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      metrics
        .counter(
          'garbagecollector_controller_resources_sync_error_total',
          'Number of garbage collector resources sync errors',
        )
        .add()
      log.info({ err: error }, 'it could not be found out which resources there are; it is tried again')
    }
  }

  #monitor(id: string, resource: DiscoveredResource): void {
    const { group, version, kind, plural, namespaced } = resource
    const plain: Resource = { group, version, kind, plural, namespaced }
    const informer = this.#context.informers.of(plain, { metadataOnly: true })
    const apiVersion = apiVersionOf(plain)
    const stop = informer.on({
      added: (object) => this.#graph.put(plain, object, apiVersion),
      updated: (object) => this.#graph.put(plain, object, apiVersion),
      deleted: (object) => this.#graph.remove(uidOf(object)),
    })
    this.#monitors.set(id, { resource, synced: informer.synced, stop })
  }

  #drop(id: string): void {
    const monitor = this.#monitors.get(id)
    if (!monitor) return
    this.#monitors.delete(id)
    monitor.stop()
    // Nobody else can use it: the resource is not served any more. Its objects leave the graph when the server says so of each.
    void this.#context.informers.stop(monitor.resource, { metadataOnly: true })
  }

  #tellMisreferred(coordinates: Coordinates, { apiVersion, kind, name, uid }: Frozen<OwnerReference>): void {
    const { namespace } = coordinates
    const message = `ownerRef [${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}] does not exist in namespace "${namespace}"`
    this.#context
      .recorder('garbage-collector-controller')
      .event({ reference: { ...coordinates } }, 'Warning', 'OwnerRefInvalidNamespace', message)
  }

  async #work(uid: string, queue: WorkQueue, act: (node: GraphNode, c: Collecting) => Promise<void>): Promise<void> {
    const node = this.#graph.node(uid)
    if (!node) return queue.forget(uid)
    try {
      await act(node, this.#collecting)
      queue.forget(uid)
      // A virtual node stays in question until its object was heard of.
      if (!node.resource && this.#graph.node(uid) === node) queue.addRateLimited(uid)
    } catch (error) {
      if (error instanceof ScopeError) return queue.forget(uid)
      const expected = error instanceof UnknownKindError || isConflict(error)
      if (!expected && !(error instanceof ApiError))
        this.#context.log.warn({ err: error, ...node.coordinates }, 'collecting failed; it is tried again')
      queue.addRateLimited(uid)
    }
  }
}

const isCollectable = ({ group, plural, verbs, preferred }: DiscoveredResource): boolean =>
  preferred && !ignored.has(`${group}/${plural}`) && ['delete', 'list', 'watch'].every((verb) => verbs.includes(verb))
