import { endpointSlices, nodes, services } from '../api/generated/resources.ts'
import type { Node, Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import { isConflict, isNotFound } from '../api/errors/api-error.ts'
import type { Frozen } from '../api/resource.ts'
import { keyOf, keyText } from '../api/resource.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { eventRecorder, referenceTo } from '../client/events/recorder.ts'
import type { EventRecorder } from '../client/events/recorder.ts'
import { Informers } from '../client/informer/informers.ts'
import type { Informer } from '../client/informer/informers.ts'
import { isBeingDeleted } from '../client/object.ts'
import { WorkQueue } from '../client/queue/work-queue.ts'
import { allocate, ingressOf, portsOf } from './allocate.ts'
import type { Holding } from './allocate.ts'
import { defaultLoadBalancerConfig } from './config.ts'
import type { LoadBalancerConfig } from './config.ts'
import { parseRange } from './range.ts'

/** What the provider needs. */
export interface LoadBalancerOptions extends Deps {
  readonly client: Client
  /** Informers to share; absent: it makes its own. */
  readonly informers?: Informers
  readonly config?: Partial<LoadBalancerConfig>
}

/** A provider that runs. */
export interface LoadBalancerProvider {
  close(): Promise<void>
}

/** Keeps a Service until its load balancer is gone. */
const cleanupFinalizer = 'service.kubernetes.io/load-balancer-cleanup'
const serviceNameLabel = 'kubernetes.io/service-name'
const byService = 'loadBalancerService'

/** Gives Services of type LoadBalancer their addresses. The service proxy of each node does the rest. Throws when a configured range is none. */
export function startLoadBalancer(options: LoadBalancerOptions): LoadBalancerProvider {
  const config: LoadBalancerConfig = { ...defaultLoadBalancerConfig, ...options.config }
  if (config.addresses !== 'nodes') for (const range of config.addresses) parseRange(range)
  const informers = options.informers ?? new Informers({ deps: options, client: options.client })
  const recorder = eventRecorder({ deps: options, client: options.client, component: 'service-controller' })
  const provider = new Provider(options, config, { informers, recorder })
  provider.start()
  return {
    async close() {
      await provider.close()
      await recorder.close()
      if (!options.informers) await informers.close()
    },
  }
}

class Provider {
  readonly #client: Client
  readonly #config: LoadBalancerConfig
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue
  readonly #services: Informer<Service>
  readonly #nodes: Informer<Node>
  readonly #slices: Informer<EndpointSlice>
  /** Who has which addresses and ports: read from the Services at the start, then kept by this one worker. */
  readonly #holdings = new Map<string, Holding>()
  #stops: (() => void)[] = []

  constructor(
    options: LoadBalancerOptions,
    config: LoadBalancerConfig,
    { informers, recorder }: { informers: Informers; recorder: EventRecorder },
  ) {
    this.#client = options.client
    this.#config = config
    this.#recorder = recorder
    this.#queue = new WorkQueue({ deps: options, name: 'service' })
    this.#services = informers.of(services)
    this.#nodes = informers.of(nodes)
    this.#slices = informers.of(endpointSlices)
    this.#slices.index(byService, (slice) => [
      `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`,
    ])
  }

  start(): void {
    const add = (service: Frozen<Service>) => this.#queue.add(keyText(keyOf(service)))
    const addLocal = (slice: Frozen<EndpointSlice>) => {
      const key = `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`
      if (this.#services.byKey(key)?.spec?.externalTrafficPolicy === 'Local') this.#queue.add(key)
    }
    const addAll = () => {
      for (const service of this.#services.list()) if (this.#wants(service)) add(service)
    }
    this.#stops = [
      this.#services.on({ added: add, updated: add, deleted: add }),
      this.#nodes.on({
        added: addAll,
        deleted: addAll,
        updated: (node, old) => (interest(node) === interest(old) ? undefined : addAll()),
      }),
      this.#slices.on({ added: addLocal, updated: addLocal, deleted: addLocal }),
    ]
    // One worker: two Services must not be given the same address.
    void Promise.all([this.#services.synced, this.#nodes.synced, this.#slices.synced]).then(() => {
      for (const service of this.#services.list())
        if (ingressOf(service).length > 0 && this.#wants(service))
          this.#holdings.set(keyText(keyOf(service)), { addresses: ingressOf(service), ports: portsOf(service) })
      this.#queue.run(1, (key) => this.#reconcile(key))
    })
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#queue.close()
  }

  #wants(service: Frozen<Service>): boolean {
    const { type, loadBalancerClass } = service.spec ?? {}
    return (
      type === 'LoadBalancer' &&
      (loadBalancerClass === undefined || loadBalancerClass === this.#config.className) &&
      !isBeingDeleted(service)
    )
  }

  async #reconcile(key: string): Promise<void> {
    const service = this.#services.byKey(key)
    if (!service) return this.#release(key)
    try {
      if (this.#wants(service)) await this.#ensure(key, service)
      else await this.#cleanUp(key, service)
      this.#queue.forget(key)
    } catch (error) {
      // The next state of the Service is on its way here.
      if (!isNotFound(error) && !isConflict(error))
        this.#event(
          service,
          'Warning',
          'SyncLoadBalancerFailed',
          `Error syncing load balancer: ${error instanceof Error ? error.message : String(error)}`,
        )
      this.#queue.addRateLimited(key)
    }
  }

  async #ensure(key: string, service: Frozen<Service>): Promise<void> {
    const others = new Map([...this.#holdings].filter(([other]) => other !== key))
    const allocation = allocate(service, {
      config: this.#config,
      nodes: this.#nodes.list(),
      slices: this.#slices.by(byService, key),
      others,
    })
    const had = ingressOf(service)
    const isNew = had.length === 0
    if (isNew && !this.#holdings.has(key))
      this.#event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
    const current = await this.#addFinalizer(service)
    if ('refused' in allocation) {
      this.#release(key)
      if (had.length > 0) await this.#writeStatus(current, [])
      throw new Error(`failed to ensure load balancer: ${allocation.refused}`)
    }
    if (allocation.addresses.length === 0)
      this.#event(service, 'Warning', 'UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer')
    const before = this.#holdings.get(key)
    this.#holdings.set(key, { addresses: allocation.addresses, ports: portsOf(service) })
    if (before && !same(before.ports, portsOf(service))) this.#wakeWaiting()
    if (same(had, allocation.addresses)) return
    await this.#writeStatus(current, allocation.addresses)
    if (isNew) this.#event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
    else this.#event(service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts')
  }

  async #cleanUp(key: string, service: Frozen<Service>): Promise<void> {
    this.#release(key)
    if (!service.metadata.finalizers?.includes(cleanupFinalizer)) return
    this.#event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
    const current = ingressOf(service).length > 0 ? await this.#writeStatus(service, []) : service
    const finalizers = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer)
    await this.#writeFinalizers(current, finalizers)
    this.#event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
  }

  /** What a Service had is free; whoever waits for it tries again. */
  #release(key: string): void {
    if (this.#holdings.delete(key)) this.#wakeWaiting()
  }

  #wakeWaiting(): void {
    for (const waiting of this.#services.list())
      if (this.#wants(waiting) && ingressOf(waiting).length === 0) this.#queue.add(keyText(keyOf(waiting)))
  }

  async #addFinalizer(service: Frozen<Service>): Promise<Frozen<Service>> {
    const finalizers = service.metadata.finalizers ?? []
    return finalizers.includes(cleanupFinalizer)
      ? service
      : this.#writeFinalizers(service, [...finalizers, cleanupFinalizer])
  }

  #writeFinalizers(service: Frozen<Service>, finalizers: readonly string[]): Promise<Frozen<Service>> {
    // With the version that was seen: a list is replaced whole. By way of the status, as upstream's: its role allows nothing else of a Service.
    return this.#client.patch(
      services,
      keyOf(service),
      {
        metadata: {
          resourceVersion: service.metadata.resourceVersion,
          finalizers: finalizers.length > 0 ? finalizers : null,
        },
      },
      { type: 'merge', subresource: 'status' },
    )
  }

  #writeStatus(service: Frozen<Service>, addresses: readonly string[]): Promise<Frozen<Service>> {
    const loadBalancer = addresses.length > 0 ? { ingress: addresses.map((ip) => ({ ip, ipMode: 'VIP' })) } : {}
    return this.#client.updateStatus(services, { ...service, status: { ...service.status, loadBalancer } })
  }

  #event(service: Frozen<Service>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event(referenceTo(services, service), type, reason, message)
  }
}

const same = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((item, i) => item === b[i])

/** What of a Node matters here; the rest of what it reports every few seconds does not. */
const interest = (node: Frozen<Node>) =>
  JSON.stringify([
    node.metadata.labels,
    node.metadata.deletionTimestamp,
    node.spec?.taints,
    node.status?.addresses,
    node.status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  ])
