import type { Node, Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../api/resource.ts'
import type { RunCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import { NftError } from '../nftables/nft.ts'
import type { Nft, NftStep } from '../nftables/nft.ts'
import { withoutNested } from './address.ts'
import type { Family, ProxyConfig } from './config.ts'
import { ConntrackMissing, forgetStaleFlows } from './conntrack.ts'
import type { UdpService } from './conntrack.ts'
import { decide } from './decide.ts'
import type { NodeView } from './decide.ts'
import { endpointsOf } from './endpoint.ts'
import type { ProxyHealth } from './health/health.ts'
import type { ServiceCheck, ServiceHealthServers } from './health/service-servers.ts'
import type { ProxyMetrics } from './metrics.ts'
import { SyncSchedule } from './schedule.ts'
import { frame, ofFamily } from './rules/frame.ts'
import { servicesChain } from './rules/names.ts'
import { PlannedTable } from './rules/table.ts'
import type { Change } from './rules/table.ts'
import { servicePorts } from './service-port.ts'

/** What a syncer works with. */
export interface SyncerOptions {
  readonly deps: Deps
  readonly config: ProxyConfig
  readonly nft: Nft
  readonly run: RunCommand
  readonly metrics: ProxyMetrics
  readonly health: ProxyHealth
  readonly serviceHealth: ServiceHealthServers | undefined
  readonly nodeName: string
  /** What the informers have. */
  readonly seen: {
    service(key: string): Frozen<Service> | undefined
    slices(key: string): readonly Frozen<EndpointSlice>[]
    services(): readonly Frozen<Service>[]
    node(): Frozen<Node> | undefined
  }
}

/** The owner of the chains that are no Service's; no Service has this name. */
const frameOwner = ''
/** How long a chain that nothing leads to waits for its deletion: old kernels notice late that it is free. */
const staleMs = 1000
/** The annotation by which the endpoints' controller says when a change began. */
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'
/** So many Services are decided before others get their turn. */
const turnServices = 200

/**
 * Brings the kernel's rules in line with what was seen: collects which Services changed, and at most once in a period decides those anew and
 * applies the difference as one transaction. After a failure, or when somebody else has emptied the table, everything is written anew.
 */
export class Syncer {
  readonly #o: SyncerOptions
  #config: ProxyConfig
  readonly #tables: ReadonlyMap<Family, PlannedTable>
  readonly #dirty = new Set<string>()
  #frameDirty = true
  #everythingDirty = true
  #takeOver = true
  #node: NodeView | undefined
  readonly #udpChanged = new Set<string>()
  readonly #noLocal = new Map<string, { internal: number; external: number }>()
  readonly #triggers: number[] = []
  /** Chains that wait for their deletion, and since when. */
  readonly #stale = new Map<
    string,
    { readonly table: PlannedTable; readonly chain: string; readonly sinceMs: number }
  >()
  readonly #stop = new AbortController()
  #started = false
  readonly #schedule: SyncSchedule
  #conntrackMissing = false
  readonly #first = Promise.withResolvers<void>()

  constructor(options: SyncerOptions) {
    this.#o = options
    this.#config = options.config
    this.#schedule = new SyncSchedule({
      clock: options.deps.clock,
      minPeriodMs: options.config.minSyncPeriodMs,
      retryMaxMs: options.config.syncPeriodMs,
      sync: () => this.#sync(),
    })
    this.#tables = new Map(
      options.config.families.map((family) => [family, new PlannedTable({ family, name: options.config.tableName })]),
    )
  }

  /** The first sync is done. */
  get synced(): Promise<void> {
    return this.#first.promise
  }

  serviceChanged(key: string): void {
    this.#o.metrics.serviceChanges.add()
    // It may answer where it did not: what was sent there before led nowhere.
    if (this.#o.seen.service(key)?.spec?.ports?.some(({ protocol }) => protocol === 'UDP')) this.#udpChanged.add(key)
    this.#markDirty(key)
  }

  endpointsChanged(key: string, slice: Frozen<EndpointSlice>): void {
    this.#o.metrics.endpointChanges.add()
    const trigger = Date.parse(slice.metadata.annotations?.[triggerAnnotation] ?? '')
    if (this.#started && !Number.isNaN(trigger)) this.#triggers.push(trigger)
    if (slice.ports?.some(({ protocol }) => protocol === 'UDP')) this.#udpChanged.add(key)
    this.#markDirty(key)
  }

  nodeChanged(): void {
    const node = this.#readNode()
    if (this.#node && JSON.stringify(node) === JSON.stringify(this.#node)) return
    this.#everythingDirty = true
    this.#frameDirty = true
    this.#request()
  }

  serviceCidrsChanged(serviceCidrs: readonly string[]): void {
    this.#config = { ...this.#config, serviceCidrs }
    this.#frameDirty = true
    this.#request()
  }

  /** From now on changes are applied. */
  start(): void {
    this.#started = true
    this.#request()
    const check = () => {
      if (this.#stop.signal.aborted) return
      void this.#checkPresence().finally(() => this.#o.deps.clock.after(this.#o.config.syncPeriodMs, check))
    }
    this.#o.deps.clock.after(this.#o.config.syncPeriodMs, check)
  }

  settled(): Promise<void> {
    return this.#schedule.settled()
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the proxy is closed'))
    await this.#schedule.close()
    this.#first.resolve()
  }

  #markDirty(key: string): void {
    this.#dirty.add(key)
    this.#request()
  }

  #request(): void {
    this.#o.metrics.lastQueued.set(this.#o.deps.clock.now() / 1000)
    if (!this.#started || this.#stop.signal.aborted) return
    this.#o.health.queued()
    this.#schedule.request()
  }

  /** One sync; false when it failed. */
  async #sync(): Promise<boolean> {
    const { clock, log } = this.#o.deps
    const { metrics, health } = this.#o
    const startMs = clock.now()
    const full = this.#takeOver
    metrics.serviceChangesPending.set(0)
    metrics.endpointChangesPending.set(0)
    const udp = [...this.#udpChanged]
    this.#udpChanged.clear()
    try {
      await this.#plan()
      await this.#apply(full)
      this.#tellMetrics(startMs, full)
      health.updated()
      await this.#forgetFlows(udp)
      this.#first.resolve()
      return true
    } catch (error) {
      if (this.#stop.signal.aborted) return true
      this.#takeOver = true
      for (const key of udp) this.#udpChanged.add(key)
      for (const family of this.#tables.keys()) metrics.syncFailures.add({ ip_family: ipFamily(family) })
      log.error(
        { err: error },
        error instanceof NftError
          ? 'nftables refused the service rules; they are written anew'
          : 'the service rules could not be written; it is tried again',
      )
      return false
    }
  }

  /** Decides what changed. */
  async #plan(): Promise<void> {
    if (this.#frameDirty) this.#planFrame()
    const keys = new Set(this.#dirty)
    if (this.#everythingDirty)
      for (const service of this.#o.seen.services()) keys.add(`${service.metadata.namespace}/${service.metadata.name}`)
    this.#dirty.clear()
    this.#everythingDirty = false
    let count = 0
    for (const key of keys) {
      this.#planService(key)
      if (++count % turnServices === 0) await this.#o.deps.clock.yield()
    }
  }

  #planFrame(): void {
    this.#frameDirty = false
    this.#node = this.#readNode()
    const config = this.#config
    const blocks = config.nodePortAddresses.flatMap((block) =>
      block === 'primary' ? (this.#node?.nodeIps ?? []) : [block],
    )
    for (const [family, table] of this.#tables)
      table.set(frameOwner, frame(config, family, withoutNested(ofFamily(family, blocks))))
  }

  #planService(key: string): void {
    const service = this.#o.seen.service(key)
    const slices = service ? this.#o.seen.slices(key) : []
    const node = this.#node ?? this.#readNode()
    const noLocal = { internal: 0, external: 0 }
    for (const [family, table] of this.#tables) {
      const decided = service && decide(service, slices, { config: this.#config, family, node })
      table.set(key, decided?.plan)
      noLocal.internal += decided?.noLocalEndpoints.internal ?? 0
      noLocal.external += decided?.noLocalEndpoints.external ?? 0
    }
    if (noLocal.internal + noLocal.external > 0) this.#noLocal.set(key, noLocal)
    else this.#noLocal.delete(key)
    this.#o.serviceHealth?.set(key, service && this.#checkOf(service, slices))
  }

  #checkOf(service: Frozen<Service>, slices: readonly Frozen<EndpointSlice>[]): ServiceCheck | undefined {
    const port = service.spec?.healthCheckNodePort
    if (!port || service.spec?.type !== 'LoadBalancer' || service.spec.externalTrafficPolicy !== 'Local')
      return undefined
    return {
      namespace: service.metadata.namespace ?? '',
      name: service.metadata.name ?? '',
      port,
      localEndpoints: this.#localReady(service, slices),
    }
  }

  /** How many addresses on this node are ready, of whichever port, in the first family that the Service has. */
  #localReady(service: Frozen<Service>, slices: readonly Frozen<EndpointSlice>[]): number {
    for (const family of this.#o.config.families) {
      const ports = servicePorts(service, family)
      if (ports.length === 0) continue
      const local = ports
        .flatMap((port) => endpointsOf(port, family, slices, this.#o.nodeName))
        .filter((endpoint) => endpoint.local && endpoint.ready)
      return new Set(local.map(({ address }) => address)).size
    }
    return 0
  }

  #readNode(): NodeView {
    const node = this.#o.seen.node()
    return {
      nodeName: this.#o.nodeName,
      zone: node?.metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
      nodeIps: (node?.status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : [])),
    }
  }

  async #apply(full: boolean): Promise<void> {
    const changes: { table: PlannedTable; change: Change }[] = []
    for (const table of this.#tables.values())
      changes.push({ table, change: full ? table.takeOver(await this.#o.nft.outline(table.name)) : table.change() })
    await this.#o.nft.apply(changes.flatMap(({ change }) => change.steps))
    const sinceMs = this.#o.deps.clock.now()
    for (const { table, change } of changes) {
      change.commit()
      for (const chain of change.stale) this.#stale.set(`${table.name.family} ${chain}`, { table, chain, sinceMs })
    }
    this.#takeOver = false
    if (this.#stale.size > 0)
      this.#o.deps.clock.after(staleMs + 1, () => void this.#schedule.exclusive(() => this.#deleteStale()))
  }

  /** Not beside a sync: what is planned there may need a chain that is deleted here. */
  async #deleteStale(): Promise<void> {
    const { clock, log } = this.#o.deps
    const due = [...this.#stale].filter(([, { sinceMs }]) => clock.now() - sinceMs > staleMs)
    for (const [id] of due) this.#stale.delete(id)
    const steps = due.flatMap(([, { table, chain }]): NftStep[] =>
      table.hasChain(chain) ? [] : [{ do: 'delete chain', table: table.name, chain }],
    )
    try {
      await this.#o.nft.apply(steps)
    } catch (error) {
      for (const family of this.#tables.keys()) this.#o.metrics.cleanupFailures.add({ ip_family: ipFamily(family) })
      log.warn({ err: error }, 'chains that are not used any more could not be deleted; the rules are written anew')
      this.#takeOver = true
      this.#request()
    }
  }

  /** Somebody else may have flushed the rules: a chain that always has rules tells. */
  async #checkPresence(): Promise<void> {
    if (this.#schedule.busy || this.#takeOver) return
    try {
      for (const table of this.#tables.values()) {
        if ((await this.#o.nft.ruleCount(table.name, servicesChain)) === servicesRules) continue
        this.#o.deps.log.warn({ table: table.name.name }, 'the service rules are gone; they are written anew')
        this.#takeOver = true
        this.#request()
      }
    } catch (error) {
      this.#o.deps.log.warn({ err: error }, 'the service rules could not be checked')
    }
  }

  #tellMetrics(startMs: number, full: boolean): void {
    const { metrics, deps } = this.#o
    const nowMs = deps.clock.now()
    for (const family of this.#tables.keys()) {
      const labels = { ip_family: ipFamily(family) }
      const seconds = (nowMs - startMs) / 1000
      metrics.sync.observe(seconds, labels)
      if (full) metrics.fullSync.observe(seconds, labels)
      else metrics.partialSync.observe(seconds, labels)
      metrics.lastSync.set(nowMs / 1000, labels)
      for (const trigger of this.#triggers) metrics.programming.observe(Math.max(0, nowMs - trigger) / 1000, labels)
      for (const policy of ['internal', 'external'] as const)
        metrics.noLocalEndpoints.set(
          [...this.#noLocal.values()].reduce((sum, count) => sum + count[policy], 0),
          { traffic_policy: policy, ...labels },
        )
    }
    this.#triggers.length = 0
  }

  async #forgetFlows(keys: readonly string[]): Promise<void> {
    if (this.#conntrackMissing) return
    const { metrics, deps } = this.#o
    for (const family of this.#tables.keys()) {
      const udp = keys.flatMap((key) => this.#udpServices(key, family))
      if (udp.length === 0) continue
      const startMs = deps.clock.now()
      try {
        metrics.conntrackDeleted.add({ ip_family: ipFamily(family) }, await forgetStaleFlows(this.#o.run, family, udp))
      } catch (error) {
        this.#conntrackMissing = error instanceof ConntrackMissing
        deps.log.warn(
          { err: error },
          this.#conntrackMissing
            ? 'conntrack is not installed: UDP clients that keep their port reach a new endpoint only when their flow has timed out; install the package conntrack'
            : 'stale UDP flows could not be forgotten',
        )
      }
      metrics.conntrackSync.observe((deps.clock.now() - startMs) / 1000, { ip_family: ipFamily(family) })
    }
  }

  #udpServices(key: string, family: Family): UdpService[] {
    const service = this.#o.seen.service(key)
    if (!service) return []
    const slices = this.#o.seen.slices(key)
    return servicePorts(service, family)
      .filter(({ protocol }) => protocol === 'udp')
      .map((port) => ({
        port,
        serving: endpointsOf(port, family, slices, this.#o.nodeName).filter(({ serving }) => serving),
      }))
  }
}

/** How many rules the chain `services` has. */
const servicesRules = 3

const ipFamily = (family: Family) => (family === 'ip' ? 'IPv4' : 'IPv6')
