import { kindDefinitions, storageConversions } from '../api/kinds.ts'
import { newKindTable, type KindTable } from '../api/table.ts'
import { realClock } from '../base/clock.ts'
import type { Deps } from '../base/deps.ts'
import type { Transport } from '../client/transport.ts'
import type { Store } from '../store/store.ts'
import { Admission } from './admission/admission.ts'
import { keepPolicyStatuses } from './admission/policy/status.ts'
import { admissionPlugins } from './admission/plugins.ts'
import { allForms } from './answer/all-forms.ts'
import { newAuthentication } from './authn/new-authentication.ts'
import type { User } from './authn/user.ts'
import { newAuthorizer } from './authz/new-authorizer.ts'
import { bootstrap } from './bootstrap/bootstrap.ts'
import { ensureObject } from './bootstrap/ensure-object.ts'
import { keepWhatIsNeeded } from './bootstrap/keep.ts'
import { Aggregator } from './aggregation/aggregator.ts'
import { closeOutbound } from './outbound/post-json.ts'
import { CrdServing } from './crd/serving.ts'
import { newSubresources } from './subresources/subresources.ts'
import { FlowControl } from './flowcontrol/flow-control.ts'
import { listen, type Handler, type Listener, type ListenOptions } from './http/listener.ts'
import { UpgradeExchange } from './http/upgrade-exchange.ts'
import { inProcessTransport } from './in-process.ts'
import { startMetricsApi } from './metrics-api/metrics-api.ts'
import { metricsObjects } from './metrics-api/metrics-objects.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import type { ApiServerOptions } from './options.ts'
import { nonResourcePaths } from './paths.ts'
import { Pipeline } from './pipeline.ts'
import { expireEvents } from './registry/event-expiry.ts'
import { Registry } from './registry/registry.ts'
import { ClusterIps } from './services/cluster-ips.ts'
import { NodePorts } from './services/node-ports.ts'
import { serviceHook } from './services/service-hook.ts'
import type { Core } from './verbs/core.ts'

export type { ApiServerOptions } from './options.ts'
export type { User } from './authn/user.ts'

/** A running API server. */
export interface ApiServer {
  /** A transport in the same process: objects by reference, frozen, as one user. */
  transport(user: User, userAgent?: string): Transport
  /** Opens a port. May be called several times. */
  listen(
    options: Omit<ListenOptions, 'tls' | 'clock'> & { readonly tls: { readonly cert: string; readonly key: string } },
  ): Promise<Listener>
  readonly kinds: KindTable
  close(): Promise<void>
}

/** How long what is being answered may take at the end, before connections are closed all the same. */
const drainMs = 10_000

/** Starts an API server on a store: opens the caches, puts in what a cluster begins with, and then takes requests. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const deps = depsOf(options)
  const kinds = newKindTable(kindDefinitions, storageConversions)
  const registry = await openRegistry({ ...deps, store: options.store }, kinds)
  const authorization = await newAuthorizer(options, registry)
  const services = await openServices(options, registry)
  const core: Core = {
    ...deps,
    kinds,
    registry,
    authorizer: authorization.authorizer,
    admission: new Admission(admissionPlugins(options, { registry, kinds }, authorization)),
    hooks: services.hooks,
    freeze: options.freeze ?? false,
  }
  const flowControl = await FlowControl.start(deps, registry)
  const metricsApi =
    options.resourceMetrics && options.kubelet
      ? startMetricsApi({ ...deps, lookup: registry, kubelet: options.kubelet, kinds })
      : undefined
  const front: Front = { listeners: [], failing: new Map() }
  const pipeline = newPipeline(options, { core, authorization, flowControl, metricsApi, front })
  const crds = await CrdServing.start({ ...deps, core, kinds, registry })
  if (options.policyStatuses) await keepPolicyStatuses(core)
  const aggregator = await Aggregator.start({ ...deps, core, proxyClient: options.proxyClient })
  front.aggregator = aggregator
  const stopExpiry = expireEvents(deps, registry, options.eventTtlMs ?? 3600_000)
  const bootstrapping = { options, core, kinds, ips: services.ips, serviceRanges: services.ranges }
  await bootstrap(bootstrapping)
  // Before the first request: a component that is refused at its start waits long before it tries again.
  await authorization.rbac?.caughtUp(options.clock)
  if (metricsApi)
    for (const { group, plural, object } of metricsObjects)
      await ensureObject(core, kinds.byResource(group, 'v1', plural)!, object)
  const stopKeeping = keepWhatIsNeeded(bootstrapping)
  return running({ options, core, pipeline, front }, () => {
    stopExpiry()
    stopKeeping()
    for (const each of [metricsApi, flowControl, crds, aggregator]) each?.close()
    closeOutbound()
  })
}

const depsOf = ({ clock, random, log, metrics }: ApiServerOptions): Deps => ({ clock, random, log, metrics })

/** A cache for each resource that can be stored. */
async function openRegistry(deps: Deps & { readonly store: Store }, kinds: KindTable): Promise<Registry> {
  const registry = new Registry(deps)
  const stored = kinds.all().filter(({ verbs }) => verbs.includes('list') && verbs.includes('create'))
  await Promise.all(stored.map((kind) => registry.open(kind)))
  return registry
}

/** What gives Services their addresses and ports. */
async function openServices(options: ApiServerOptions, registry: Registry) {
  const deps = depsOf(options)
  const ranges = (options.serviceClusterIpRange ?? '10.96.0.0/12').split(',').map((range) => range.trim())
  const ips = new ClusterIps(registry, deps, ranges)
  const nodePorts = await NodePorts.start(registry, deps, options.serviceNodePortRange ?? '30000-32767')
  return { ranges, ips, hooks: new Map([['/registry/services/specs/', serviceHook(ips, nodePorts)]]) }
}

/** What changes while the server runs, and answers tell of. */
interface Front {
  /** Ports that are open; the first is the one that clients are told of. */
  readonly listeners: Listener[]
  /** Checks that do not pass. */
  readonly failing: Map<string, string>
  /** Set once at the start: it needs what the pipeline is made of. */
  aggregator?: Aggregator
}

interface PipelineNeeds {
  readonly core: Core
  readonly authorization: Awaited<ReturnType<typeof newAuthorizer>>
  readonly flowControl: FlowControl
  readonly metricsApi: ReturnType<typeof startMetricsApi> | undefined
  readonly front: Front
}

function newPipeline(options: ApiServerOptions, needs: PipelineNeeds): Pipeline {
  const { core, authorization, flowControl, metricsApi, front } = needs
  const { kinds, metrics } = core
  const { kubelet, serviceAccounts, withControlPlane = false } = options
  const authentication = newAuthentication(options, core.registry)
  const { rulesFor } = authorization
  return new Pipeline({
    ...depsOf(options),
    core,
    kinds,
    authenticate: authentication.authenticate,
    subresources: newSubresources({
      ...authentication,
      rulesFor,
      kubelet,
      withControlPlane,
      more: metricsApi?.handlers ?? [],
    }),
    nonResource: nonResourcePaths({
      kinds,
      metrics,
      failing: front.failing,
      serviceAccounts,
      keys: authentication.keys,
      address: () => addressOf(options, front.listeners[0]),
      aggregator: () => front.aggregator,
    }),
    elsewhere: (request) => front.aggregator?.answer(request),
    forms: allForms,
    requestMetrics: new RequestMetrics(metrics),
    inflightMax: options.maxRequestsInflight ?? 600,
    flowControl,
  })
}

const addressOf = ({ advertiseAddress, advertisePort }: ApiServerOptions, listener: Listener | undefined): string =>
  listener ? `${advertiseAddress ?? listener.host}:${advertisePort ?? listener.port}` : ''

interface Assembled {
  readonly options: ApiServerOptions
  readonly core: Core
  readonly pipeline: Pipeline
  readonly front: Front
}

function running({ options, core, pipeline, front }: Assembled, closeParts: () => void): ApiServer {
  const { listeners, failing } = front
  const clientCas = [options.clientCa, options.requestHeader?.clientCa].filter((ca) => ca !== undefined)
  const handler = {
    handle: (exchange) => pipeline.handle(exchange),
    upgrade: (request, socket, head, peer) => pipeline.handle(new UpgradeExchange(request, socket, head, peer)),
  } satisfies Handler
  return {
    kinds: core.kinds,
    transport: (user, userAgent = 'kubernode') =>
      inProcessTransport({ pipeline, freeze: core.freeze }, user, userAgent),
    async listen({ host, port, tls }) {
      const listener = await listen({ host, port, tls: { ...tls, clientCas }, clock: options.clock }, handler)
      listeners.push(listener)
      return { ...listener, setTls: (renewed) => listener.setTls({ ...renewed, clientCas }) }
    },
    async close() {
      failing.set('shutdown', 'process is shutting down')
      for (const listener of listeners) listener.drain()
      // What was begun is answered: a client would not know otherwise whether its write was done.
      await within(pipeline.idle(), drainMs)
      closeParts()
      // Ends all watches, and with them the last streams of their connections.
      core.registry.close()
      await Promise.all(listeners.map((listener) => listener.close()))
    },
  }
}

/** Waits, but no longer than this of the machine's time: it is other processes that are waited for. */
async function within(done: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const cancel = realClock.after(timeoutMs, resolve)
  await Promise.race([done, late])
  cancel()
}
