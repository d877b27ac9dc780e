import { endpointSlices, nodes, serviceCIDRs, services } from '../api/generated/resources.ts'
import type { Node, Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../api/resource.ts'
import { keyOf, keyText } from '../api/resource.ts'
import { runCommand } from '../base/command.ts'
import type { RunCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import type { Informer } from '../client/informer/informers.ts'
import type { Nft } from '../nftables/nft.ts'
import { defaultProxyConfig } from './config.ts'
import type { ProxyConfig } from './config.ts'
import { serviceOf } from './endpoint.ts'
import { ProxyHealth } from './health/health.ts'
import { startProxyMetricsServer } from './health/metrics-server.ts'
import { startProxyHealthServer } from './health/proxy-server.ts'
import type { Listen, ListeningServer } from './health/server.ts'
import { ServiceHealthServers } from './health/service-servers.ts'
import { proxyMetrics } from './metrics.ts'
import { Syncer } from './sync.ts'

/** What the service proxy needs. */
export interface ProxyOptions extends Deps {
  readonly client: Client
  /** Informers to share; absent: it makes its own. */
  readonly informers?: Informers
  readonly nodeName: string
  /** The rules of the node's network namespace. */
  readonly nft: Nft
  /** Runs `conntrack` in the node's network namespace; absent: in this process's own. */
  readonly run?: RunCommand
  readonly config?: Partial<ProxyConfig>
  /** Where /healthz and /livez are served (upstream: 0.0.0.0:10256). Absent: nowhere. */
  readonly healthListen?: Listen
  /** Where /metrics and /proxyMode are served (upstream: 127.0.0.1:10249). Absent: nowhere. */
  readonly metricsListen?: Listen
  /** The Services' addresses are what the cluster's ServiceCIDR objects say, and `config.serviceCidrs` only until there are some. */
  readonly followServiceCidrs?: boolean
  /** Address on which health check node ports are opened; '0.0.0.0' when absent, '' opens none. */
  readonly serviceHealthHost?: string
}

/** A proxy that runs. */
export interface Proxy {
  /** The rules show everything that was there at the start. */
  readonly synced: Promise<void>
  /** Resolves when every change that was seen so far is in the rules, or their transaction failed. */
  settled(): Promise<void>
  /** The port of the health server, when there is one. */
  readonly healthPort: number | undefined
  /** Stops following; the rules stay, so that connections go on. `removeProxyRules` takes them away. */
  close(): Promise<void>
}

/** A change that waits longer than this many sync periods makes the proxy unhealthy; upstream: two. */
const unhealthyPeriods = 2

/** Keeps a node's rules in line with Services, EndpointSlices and the node itself. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const config: ProxyConfig = { ...defaultProxyConfig, ...options.config }
  const informers = options.informers ?? new Informers({ deps: options, client: options.client })
  const watched: Watched = {
    services: informers.of(services),
    slices: informers.of(endpointSlices),
    nodes: informers.of(nodes, { fieldSelector: `metadata.name=${options.nodeName}` }),
  }
  watched.slices.index(byService, (slice) => [serviceOf(slice) ?? ''])
  const health = new ProxyHealth(options.clock, unhealthyPeriods * config.syncPeriodMs)
  const metrics = proxyMetrics(options.metrics)
  const node = () => watched.nodes.get({ name: options.nodeName })
  const serviceHealth =
    options.serviceHealthHost === ''
      ? undefined
      : new ServiceHealthServers({ log: options.log, health, host: options.serviceHealthHost ?? '0.0.0.0' })
  const syncer = new Syncer({
    deps: options,
    config,
    nft: options.nft,
    run: options.run ?? runCommand,
    metrics,
    health,
    serviceHealth,
    nodeName: options.nodeName,
    seen: {
      service: (key) => watched.services.byKey(key),
      slices: (key) => watched.slices.by(byService, key),
      services: () => watched.services.list(),
      node,
    },
  })
  const server =
    options.healthListen &&
    (await startProxyHealthServer({
      listen: options.healthListen,
      clock: options.clock,
      health,
      families: config.families,
      node,
      healthz: metrics.healthz,
      livez: metrics.livez,
    }))
  const metricsServer = options.metricsListen && (await startProxyMetricsServer(options.metricsListen, options.metrics))
  const unsubscribe = follow(watched, syncer)
  const unsubscribeCidrs = options.followServiceCidrs ? followServiceCidrs(informers, syncer) : () => {}
  // Not before everything is known: rules from half of the Services would cut off the other half.
  const started = Promise.all([watched.services.synced, watched.slices.synced, watched.nodes.synced]).then(() =>
    syncer.start(),
  )
  return {
    synced: Promise.all([started, syncer.synced]).then(() => {}),
    settled: () => syncer.settled(),
    healthPort: server?.port,
    close: () =>
      close({
        unsubscribe: () => (unsubscribe(), unsubscribeCidrs()),
        syncer,
        servers: [server, metricsServer],
        serviceHealth,
        informers: options.informers ? undefined : informers,
      }),
  }
}

interface Watched {
  readonly services: Informer<Service>
  readonly slices: Informer<EndpointSlice>
  readonly nodes: Informer<Node>
}

/** Index of slices by their Service. */
const byService = 'proxyService'

function follow({ services: watchedServices, slices, nodes: watchedNodes }: Watched, syncer: Syncer): () => void {
  const changed = (service: Frozen<Service>) => syncer.serviceChanged(keyText(keyOf(service)))
  const sliceChanged = (slice: Frozen<EndpointSlice>) => {
    const key = serviceOf(slice)
    if (key !== undefined) syncer.endpointsChanged(key, slice)
  }
  const stops = [
    watchedServices.on({ added: changed, updated: changed, deleted: changed }),
    slices.on({
      added: sliceChanged,
      updated(slice, old) {
        // A slice may be given to another Service.
        if (serviceOf(old) !== serviceOf(slice)) sliceChanged(old)
        sliceChanged(slice)
      },
      deleted: sliceChanged,
    }),
    watchedNodes.on({
      added: () => syncer.nodeChanged(),
      updated: () => syncer.nodeChanged(),
      deleted: () => syncer.nodeChanged(),
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** Tells the syncer of the cluster's Service ranges. */
function followServiceCidrs(informers: Informers, syncer: Syncer): () => void {
  const all = informers.of(serviceCIDRs)
  const changed = () => {
    const cidrs = [...new Set(all.list().flatMap(({ spec }) => spec?.cidrs ?? []))].sort()
    if (cidrs.length > 0) syncer.serviceCidrsChanged(cidrs)
  }
  return all.on({ added: changed, updated: changed, deleted: changed })
}

interface Closing {
  readonly unsubscribe: () => void
  readonly syncer: Syncer
  readonly servers: readonly (ListeningServer | undefined)[]
  readonly serviceHealth: ServiceHealthServers | undefined
  readonly informers: Informers | undefined
}

async function close({ unsubscribe, syncer, servers, serviceHealth, informers }: Closing): Promise<void> {
  unsubscribe()
  await syncer.close()
  await Promise.all([...servers.map((server) => server?.close()), serviceHealth?.close(), informers?.close()])
}

/** Takes the proxy's rules away: for `delete`, when nothing uses the node's Services any more. */
export async function removeProxyRules(
  nft: Nft,
  config: Pick<ProxyConfig, 'tableName'> = defaultProxyConfig,
): Promise<void> {
  const mine = (await nft.tables()).filter(({ name }) => name === config.tableName)
  await nft.apply(mine.map((table) => ({ do: 'delete table', table })))
}
