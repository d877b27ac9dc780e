import { hostname } from 'node:os'
import { startApiServer, type ApiServer, type User } from '../apiserver/apiserver.ts'
import type { LocalKubelet } from '../apiserver/options.ts'
import { runCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import { Metrics } from '../base/metrics.ts'
import { newClient, type Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import { startLoadBalancer } from '../cloud/load-balancer.ts'
import { startControllerManager } from '../controllers/controller-manager.ts'
import { readUpstreams } from '../dns/forward/resolv-conf.ts'
import { startDns } from '../dns/dns.ts'
import { ensureDnsService } from '../dns/service.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import type { Store } from '../store/store.ts'
import { openComponentPorts } from './component-ports.ts'
import { componentUsers } from './component-users.ts'
import { ensureFolder } from './files.ts'
import { clusterPaths } from './paths.ts'
import type { LivePki } from './pki/live-pki.ts'
import { ensureMachine, ensureNodeProcesses } from './machine.ts'
import { startNode } from './node.ts'
import { addressIn, nodePlans, type ClusterRecord } from './record.ts'
import { startSimulatedNodes } from './simulated-nodes.ts'

/** What the cluster's process is made from. */
export interface ServerOptions extends Deps {
  readonly record: ClusterRecord
  readonly pki: LivePki
}

/** Something that was started and can be stopped. */
export interface Closable {
  close(): Promise<void>
}

/**
 * Starts a whole cluster in this process: store, API server, controllers, scheduler, DNS and load balancer, and the nodes: the machine itself, simulated
 * ones, or a process in a network namespace for each.
 */
export async function startServer(options: ServerOptions): Promise<Closable> {
  const { record } = options
  const started: Closable[] = []
  const locals = new Map<string, LocalKubelet>()
  try {
    // What takes long begins first: containerd while the store opens.
    const machine = record.simulated || record.config.nodes === 1 ? undefined : ensureMachine(record.config)
    const store = await openStore(options)
    started.push(store)
    await machine
    const server = await startApi(options, store, locals)
    started.push(server)
    started.push(...(await startControl(options, server)))
    started.push(...(await startNodes(options, server, locals)))
  } catch (error) {
    await closeAll(started)
    throw error
  }
  return { close: () => closeAll(started) }
}

async function openStore({ record, clock, random, log, metrics }: ServerOptions): Promise<Store> {
  const deps = { clock, random, log, metrics }
  if (record.config.store === 'memory') return (await import('../store/memory/memory-store.ts')).openMemoryStore(deps)
  const { store } = clusterPaths(record.config.name)
  ensureFolder(store, 0o700)
  return (await import('../store/lmdb/lmdb-store.ts')).openLmdbStore({ ...deps, folder: store })
}

async function startApi(
  { record, pki: live, ...deps }: ServerOptions,
  store: Store,
  locals: ReadonlyMap<string, LocalKubelet>,
): Promise<ApiServer> {
  const { config } = record
  const pki = live.current
  const server = await startApiServer({
    ...deps,
    log: deps.log.child({ component: 'apiserver' }),
    store,
    clientCa: pki.authority.cert,
    requestHeader: {
      clientCa: pki.frontProxyAuthority.cert,
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['X-Remote-User'],
      uidHeaders: ['X-Remote-Uid'],
      groupHeaders: ['X-Remote-Group'],
      extraHeaderPrefixes: ['X-Remote-Extra-'],
    },
    proxyClient: live.pair(({ frontProxyClient }) => frontProxyClient),
    serviceAccounts: {
      issuers: [`https://kubernetes.default.svc.${config.clusterDomain}`],
      keys: [pki.serviceAccount.publicKey],
      signingKey: pki.serviceAccount.key,
    },
    serviceClusterIpRange: config.serviceCIDR,
    enableAdmissionPlugins: ['NodeRestriction'],
    ...(!record.simulated && { advertiseAddress: record.advertiseAddress, advertisePort: config.port }),
    resourceMetrics: !record.simulated,
    policyStatuses: true,
    withControlPlane: true,
    kubelet: Object.assign(
      live.pair(({ apiServerKubeletClient }) => apiServerKubeletClient),
      { ca: pki.authority.cert, addressTypes: ['InternalIP', 'Hostname'], local: (name: string) => locals.get(name) },
    ),
  })
  for (const host of new Set([config.address, record.advertiseAddress])) {
    const listener = await server.listen({ host, port: config.port, tls: pki.apiServer })
    live.follow(
      ({ apiServer }) => apiServer,
      (pair) => listener.setTls(pair),
    )
  }
  return server
}

/** Controllers, scheduler, load balancer and DNS, on shared informers: a resource is watched once, whoever looks at it. */
async function startControl({ record, pki: live, ...deps }: ServerOptions, server: ApiServer): Promise<Closable[]> {
  const { config } = record
  const pki = live.current
  const connect = (user: User, agent: string) => newClient(server.transport(user, agent))
  const client = connect(componentUsers.controllerManager, 'kube-controller-manager')
  const clientFor = (account: string) => connect(componentUsers.controller(account), 'kube-controller-manager')
  const informers = new Informers({ deps, client })
  const started: Closable[] = [informers]
  const managed = component(deps, 'controller-manager')
  const options = {
    clusterCidr: [config.podCIDR],
    serviceClusterIpRange: [config.serviceCIDR],
    rootCa: pki.authority.cert,
    clusterSigningCert: pki.authority.cert,
    clusterSigningKey: pki.authority.key,
    serviceAccountPrivateKey: pki.serviceAccount.key,
  }
  const manager = startControllerManager({ ...managed, client, clientFor, informers, ...options })
  const scheduling = {
    ...component(deps, 'scheduler'),
    client: connect(componentUsers.scheduler, 'kube-scheduler'),
    informers,
  }
  started.push(
    manager,
    await startScheduler(scheduling),
    ...(await openComponentPorts({
      live,
      manager: { ...managed, manager, client, facts: { options, useServiceAccountCredentials: true } },
      scheduler: scheduling,
    })),
  )
  if (!record.simulated) {
    const cloud = connect(componentUsers.controller('service-controller'), 'cloud-controller-manager')
    started.push(
      startLoadBalancer({
        ...component(deps, 'cloud-controller-manager'),
        client: cloud,
        informers,
        config: { reservedPorts: ['TCP/22', `TCP/${config.port}`, 'TCP/10250'] },
      }),
    )
    started.push(
      await startClusterDns(
        { record, pki: live, ...component(deps, 'dns') },
        connect(componentUsers.installer, 'kubernode'),
        informers,
      ),
    )
  }
  return started
}

/** A component tells of itself alone, in the log and in metrics: each has a port of its own for those. */
const component = (deps: Deps, name: string): Deps => ({
  ...deps,
  log: deps.log.child({ component: name }),
  metrics: new Metrics(),
})

/** DNS reads by the shared informers; only its Service and its address there are written, once. */
async function startClusterDns(
  { record, ...deps }: ServerOptions,
  client: Client,
  informers: Informers,
): Promise<Closable> {
  const dns = await startDns({
    ...deps,
    client,
    informers,
    clusterDomain: record.config.clusterDomain,
    listen: [{ host: record.advertiseAddress, port: 0 }],
    upstreams: record.config.isolated ? [] : await readUpstreams(),
  })
  const [address] = dns.addresses
  const [node] = nodePlans(record, hostname())
  await ensureDnsService(client, [{ nodeName: node!.name, address: address!.host, port: address!.port }], {
    clusterIp: addressIn(record.config.serviceCIDR, 10),
  })
  return dns
}

async function startNodes(
  { record, pki: live, ...deps }: ServerOptions,
  server: ApiServer,
  locals: Map<string, LocalKubelet>,
): Promise<Closable[]> {
  const plans = nodePlans(record, hostname())
  const client = newClient(server.transport(componentUsers.controllerManager, 'kubelet'))
  if (record.simulated)
    return [
      await startSimulatedNodes({
        ...deps,
        client,
        clientFor: (name) => newClient(server.transport(componentUsers.node(name), 'kubelet')),
        names: plans.map(({ name }) => name),
        locals,
      }),
    ]
  if (plans.some(({ isolated }) => isolated)) return [await ensureNodeProcesses({ ...deps, record })]
  const [plan] = plans
  const node = await startNode({
    ...deps,
    record,
    plan: plan!,
    client: newClient(server.transport(componentUsers.node(plan!.name), 'kubelet')),
    proxyClient: newClient(server.transport(componentUsers.proxy, 'kube-proxy')),
    serving: live.current.nodeServer(plan!.name),
    clientCa: live.current.authority.cert,
    paths: clusterPaths(record.config.name).node(plan!.name),
    run: runCommand,
  })
  live.follow(
    (pki) => pki.nodeServer(plan!.name),
    (pair) => node.setServing(pair),
  )
  return [node]
}

/** Closes in the reverse order of starting. */
async function closeAll(started: readonly Closable[]): Promise<void> {
  for (const one of started.toReversed()) await one.close()
}
