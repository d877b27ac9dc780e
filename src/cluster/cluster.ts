import { generateKeyPairSync } from 'node:crypto'
import { startApiServer, type ApiServer, type User } from '../apiserver/apiserver.ts'
import type { LocalKubelet } from '../apiserver/options.ts'
import { VirtualClock, realClock, type Clock } from '../base/clock.ts'
import type { Deps } from '../base/deps.ts'
import { silentLogger, type Logger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { realRandom, seededRandom } from '../base/random.ts'
import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../api/resource.ts'
import { newClient, type Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import { startControllerManager, type ControllerManager } from '../controllers/controller-manager.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { componentUsers } from './component-users.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { startSimulatedNodes, type SimulatedNodes } from './simulated-nodes.ts'

/** How a cluster in this process is made. */
export interface ClusterOptions {
  /** Number of simulated nodes. Default 1. */
  readonly nodes?: number
  /** 'virtual', the default: time stands still until `advance`. 'real': the machine's clock. */
  readonly clock?: 'virtual' | 'real'
  /** Seed of everything random. Default 1; 'real' takes the machine's randomness. */
  readonly seed?: number | 'real'
  /** Which controllers run, as in upstream's --controllers. Default all. */
  readonly controllers?: readonly string[]
  /** Where components log to. Default nowhere. */
  readonly log?: Logger
}

/** A length of time. */
export interface Duration {
  readonly days?: number
  readonly hours?: number
  readonly minutes?: number
  readonly seconds?: number
  readonly ms?: number
}

const durationMs = ({ days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 }: Duration): number =>
  (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + ms

/** Turns of `until` before it gives up, and how far the virtual clock moves at each. */
const untilSteps = 600
const untilStepMs = 1000

/**
 * A whole cluster in this process: API server on a store in memory, controllers, scheduler and simulated nodes, with time that the caller moves.
 *
 *     await using cluster = await Cluster.start({ nodes: 3 })
 *     await cluster.client.create(deployments, web)
 *     await cluster.settled()
 *     await cluster.advance({ minutes: 5 })
 */
export class Cluster implements AsyncDisposable {
  /** Acts as cluster administrator. */
  readonly client: Client
  readonly clock: Clock
  readonly #server: ApiServer
  readonly #controllers: ControllerManager
  readonly #nodes: SimulatedNodes
  readonly #closers: (() => Promise<void>)[]

  private constructor(parts: {
    client: Client
    clock: Clock
    server: ApiServer
    controllers: ControllerManager
    nodes: SimulatedNodes
    closers: (() => Promise<void>)[]
  }) {
    this.client = parts.client
    this.clock = parts.clock
    this.#server = parts.server
    this.#controllers = parts.controllers
    this.#nodes = parts.nodes
    this.#closers = parts.closers
  }

  /** Starts a cluster; its nodes are Ready when the promise resolves. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const clock = options.clock === 'real' ? realClock : new VirtualClock()
    const random = options.seed === 'real' ? realRandom : seededRandom(options.seed ?? 1)
    const deps: Deps = { clock, random, log: options.log ?? silentLogger, metrics: new Metrics() }
    const store = openMemoryStore(deps)
    const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const locals = new Map<string, LocalKubelet>()
    const server = await startApiServer({
      ...deps,
      store,
      freeze: true,
      withControlPlane: true,
      kubelet: { local: (name) => locals.get(name) },
      serviceAccounts: {
        issuers: ['https://kubernetes.default.svc.cluster.local'],
        keys: [signing.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
        signingKey: signing.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    })
    const connect = (user: User, agent: string) => newClient(server.transport(user, agent))
    const client = connect(componentUsers.installer, 'kubernetes-admin')
    const manager = connect(componentUsers.controllerManager, 'kube-controller-manager')
    const informers = new Informers({ deps, client: manager })
    const controllers = startControllerManager({
      ...deps,
      client: manager,
      clientFor: (account) => connect(componentUsers.controller(account), 'kube-controller-manager'),
      informers,
      // Nobody connects by TLS: there is no authority that Pods would have to know.
      rootCa: '',
      ...(options.controllers && { controllers: options.controllers }),
    })
    const scheduler = await startScheduler({
      ...deps,
      client: connect(componentUsers.scheduler, 'kube-scheduler'),
      informers,
    })
    const nodes = await startSimulatedNodes({
      ...deps,
      locals,
      client,
      informers,
      clientFor: (name) => connect(componentUsers.node(name), 'kubelet'),
      names: Array.from({ length: options.nodes ?? 1 }, (_, i) => `node-${i + 1}`),
    })
    const cluster = new Cluster({
      client,
      clock,
      server,
      controllers,
      nodes,
      closers: [
        () => nodes.close(),
        () => scheduler.close(),
        () => controllers.close(),
        () => informers.close(),
        () => server.close(),
        () => store.close(),
      ],
    })
    await cluster.settled()
    return cluster
  }

  /** Resolves when nothing is left to do without time passing. On the real clock: when the controllers have started. */
  async settled(): Promise<void> {
    if (this.clock instanceof VirtualClock) await this.clock.settle()
    else await this.#controllers.ready
  }

  /** Moves the virtual clock on; everything that falls due on the way happens in order. */
  async advance(duration: Duration): Promise<void> {
    if (!(this.clock instanceof VirtualClock))
      throw new Error('this cluster runs on the real clock: only a virtual clock can be advanced')
    await this.clock.advance(durationMs(duration))
  }

  /** Lets time pass until an object is as wanted, and gives it; on a virtual clock in no real time. Rejects after ten minutes. */
  async until<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    wanted: (object: Frozen<T>) => boolean,
  ): Promise<Frozen<T>> {
    for (let step = 0; step < untilSteps; step++) {
      await this.settled()
      const { items } = await this.client.list(resource, {
        ...(key.namespace !== undefined && { namespace: key.namespace }),
        fieldSelector: `metadata.name=${key.name}`,
      })
      const [object] = items
      if (object && wanted(object)) return object
      if (this.clock instanceof VirtualClock) await this.clock.advance(untilStepMs)
      else await this.clock.sleep(untilStepMs)
    }
    throw new Error(
      `${resource.kind} ${key.name} is not as wanted after ${(untilSteps * untilStepMs) / 60_000} minutes`,
    )
  }

  /** One of the nodes, by name ('node-1') – to stop it, or to look into its runtime. */
  node(name: string): SimulatedNode {
    const found = this.#nodes.nodes.find((node) => node.name === name)
    if (!found)
      throw new Error(`there is no node ${name}; nodes: ${this.#nodes.nodes.map((node) => node.name).join(', ')}`)
    return found
  }

  /** A client that acts as somebody else: for tests of access rules. */
  clientFor(user: { readonly name: string; readonly groups?: readonly string[] }): Client {
    return newClient(this.#server.transport({ name: user.name, groups: user.groups ?? [] }, user.name))
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
