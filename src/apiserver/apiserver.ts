import { kindDefinitions, storageConversions } from '../api/kinds.ts'
import { newKindTable, type KindTable } from '../api/table.ts'
import type { Transport } from '../client/transport.ts'
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
import { addOpenApi } from './discovery/openapi.ts'
import { CrdServing } from './crd/serving.ts'
import { declaredSchema } from './crd/declared-schema.ts'
import { addDiscovery } from './discovery/routes.ts'
import { addOpenId } from './discovery/openid.ts'
import { newSubresources } from './subresources/subresources.ts'
import rootPaths from './generated/root-paths.json' with { type: 'json' }
import { FlowControl } from './flowcontrol/flow-control.ts'
import { healthRoutes } from './health/health.ts'
import { versionInfo } from './health/version.ts'
import { listen, type Listener, type ListenOptions } from './http/listener.ts'
import { UpgradeExchange } from './http/upgrade-exchange.ts'
import { inProcessTransport } from './in-process.ts'
import { startMetricsApi } from './metrics-api/metrics-api.ts'
import { metricsObjects } from './metrics-api/metrics-objects.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import { NonResource } from './non-resource.ts'
import type { ApiServerOptions } from './options.ts'
import { Pipeline } from './pipeline.ts'
import { expireEvents } from './registry/event-expiry.ts'
import { Registry } from './registry/registry.ts'
import { ClusterIps } from './services/cluster-ips.ts'
import { NodePorts } from './services/node-ports.ts'
import { serviceHook } from './services/service-hook.ts'
import type { Core } from './verbs/core.ts'
import { textAnswer, valueAnswer } from './answer/answer.ts'

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

/** Starts an API server on a store: opens the caches, puts in what a cluster begins with, and then takes requests. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, log, metrics, store } = options
  const deps = { clock, random, log, metrics }
  const listeners: Listener[] = []
  const kinds = newKindTable(kindDefinitions, storageConversions)
  const registry = new Registry({ ...deps, store })
  await Promise.all(
    kinds
      .all()
      .filter(({ verbs }) => verbs.includes('list') && verbs.includes('create'))
      .map((kind) => registry.open(kind)),
  )
  const authorization = await newAuthorizer(options, registry)
  const { authorizer, rulesFor } = authorization
  const authentication = newAuthentication(options, registry)
  const serviceRanges = (options.serviceClusterIpRange ?? '10.96.0.0/12').split(',').map((range) => range.trim())
  const ips = new ClusterIps(registry, deps, serviceRanges)
  const nodePorts = await NodePorts.start(registry, deps, options.serviceNodePortRange ?? '30000-32767')
  const hooks = new Map([['/registry/services/specs/', serviceHook(ips, nodePorts)]])
  const core: Core = {
    ...deps,
    kinds,
    registry,
    authorizer,
    admission: new Admission(admissionPlugins(options, { registry, kinds }, authorization)),
    hooks,
    freeze: options.freeze ?? false,
  }
  const nonResource = new NonResource()
  const serverAddress = () =>
    listeners[0] ? `${options.advertiseAddress ?? listeners[0].host}:${options.advertisePort ?? listeners[0].port}` : ''
  let aggregator: Aggregator | undefined
  addDiscovery(nonResource, kinds, serverAddress, {
    list: () => aggregator?.groups() ?? [],
    aggregated: () => aggregator?.discovery() ?? [],
    revision: () => aggregator?.revision() ?? 0,
  })
  addOpenApi(
    nonResource,
    async () =>
      new (await import('../api/openapi/documents.ts')).OpenApiDocuments({
        table: kinds,
        version: versionInfo('').gitVersion,
        customSchema: declaredSchema,
      }),
    { openApiNames: () => aggregator?.openApiNames() ?? [], openApi: async (name) => aggregator?.openApi(name) },
  )
  if (options.serviceAccounts) addOpenId(nonResource, options.serviceAccounts, authentication.keys, serverAddress)
  const failing = new Map<string, string>()
  for (const route of healthRoutes({ store, failing })) nonResource.add(route)
  nonResource.add({ path: '/version', handler: () => valueAnswer(versionInfo('') as object) })
  nonResource.add({ path: '/', handler: () => valueAnswer({ paths: rootPaths } as object) })
  nonResource.add({
    path: '/metrics',
    handler: () => textAnswer(200, metrics.text(), 'text/plain; version=0.0.4; charset=utf-8'),
  })
  const flowControl = await FlowControl.start(deps, registry)
  const metricsApi =
    options.resourceMetrics && options.kubelet
      ? startMetricsApi({ ...deps, lookup: registry, kubelet: options.kubelet, kinds })
      : undefined
  const pipeline = new Pipeline({
    ...deps,
    core,
    kinds,
    authenticate: authentication.authenticate,
    subresources: newSubresources({
      ...authentication,
      rulesFor,
      kubelet: options.kubelet,
      withControlPlane: options.withControlPlane ?? false,
      more: metricsApi?.handlers ?? [],
    }),
    nonResource,
    elsewhere: (request) => aggregator?.answer(request),
    forms: allForms,
    requestMetrics: new RequestMetrics(metrics),
    inflightMax: options.maxRequestsInflight ?? 600,
    flowControl,
  })
  const crds = await CrdServing.start({ ...deps, core, kinds, registry })
  if (options.policyStatuses) await keepPolicyStatuses(core)
  aggregator = await Aggregator.start({ ...deps, core, proxyClient: options.proxyClient })
  const stopExpiry = expireEvents(deps, registry, options.eventTtlMs ?? 3600_000)
  const bootstrapping = { options, core, kinds, ips, serviceRanges }
  await bootstrap(bootstrapping)
  // Before the first request: a component that is refused at its start waits long before it tries again.
  await authorization.rbac?.caughtUp(clock)
  if (metricsApi)
    for (const { group, plural, object } of metricsObjects)
      await ensureObject(core, kinds.byResource(group, 'v1', plural)!, object)
  const stopKeeping = keepWhatIsNeeded(bootstrapping)
  return {
    kinds,
    transport: (user, userAgent = 'kubernode') =>
      inProcessTransport({ pipeline, freeze: core.freeze }, user, userAgent),
    async listen({ host, port, tls }) {
      const clientCas = [options.clientCa, options.requestHeader?.clientCa].filter((ca) => ca !== undefined)
      const listener = await listen(
        { host, port, tls: { ...tls, clientCas }, clock },
        {
          handle: (exchange) => pipeline.handle(exchange),
          upgrade: (request, socket, head, peer) => pipeline.handle(new UpgradeExchange(request, socket, head, peer)),
        },
      )
      listeners.push(listener)
      return { ...listener, setTls: (renewed) => listener.setTls({ ...renewed, clientCas }) }
    },
    async close() {
      stopExpiry()
      metricsApi?.close()
      flowControl.close()
      stopKeeping()
      crds.close()
      aggregator.close()
      closeOutbound()
      await Promise.all(listeners.map((listener) => listener.close()))
      registry.close()
    },
  }
}
