import assert from 'node:assert/strict'
import { ApiError } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { startApiServer, type User } from '../../apiserver/apiserver.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { newClient, type Client } from '../../client/client.ts'
import { timestamp } from '../../client/object.ts'
import type { Transport, TransportRequest } from '../../client/transport.ts'
import { componentUsers } from '../../cluster/component-users.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { startControllerManager, type ControllerManager, type ControllerManagerOptions } from '../controller-manager.ts'

/** Controllers on an API server in memory and a virtual clock, without nodes: what a kubelet would do, tests do. */
export interface World extends AsyncDisposable {
  readonly clock: VirtualClock
  /** As somebody who may do everything. */
  readonly client: Client
  /** Of every write of the controllers: 'POST pods'. */
  readonly writes: string[]
  readonly manager: ControllerManager
  pods(namespace?: string): Promise<readonly Frozen<Pod>[]>
  /** Does as a kubelet would, for all pods or those given: they run and are ready, and those that are being deleted are gone. */
  runPods(chosen?: readonly Frozen<Pod>[]): Promise<void>
}

/** How a test's world differs. */
export interface WorldOptions extends Partial<ControllerManagerOptions> {
  /** Called before each request of the controllers; throws to refuse it. */
  readonly refuse?: ((request: TransportRequest) => void) | undefined
  /** Answers requests of the controllers in place of the server: for APIs that an extension serves. Undefined: the server's turn. */
  readonly answer?: ((request: TransportRequest) => unknown) | undefined
}

/** Starts the named controllers. */
export async function startWorld(
  controllers: readonly string[],
  { refuse, answer, ...options }: WorldOptions = {},
): Promise<World> {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  // No service accounts are made here, so pods must do without.
  const server = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    disableAdmissionPlugins: ['ServiceAccount'],
    freeze: true,
  })
  const user = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] }
  const writes: string[] = []
  const forbidden: string[] = []
  const client = newClient(server.transport(user))
  const clientAs = (by: User) =>
    newClient(watched(server.transport(by), { writes, forbidden }, { refuse, answer }), {
      fieldManager: 'kube-controller-manager',
    })
  // As in a cluster: what a controller's role does not allow, its tests cannot do either.
  const manager = startControllerManager({
    ...deps,
    ...options,
    client: clientAs(componentUsers.controllerManager),
    clientFor: (account) => clientAs(componentUsers.controller(account)),
    controllers,
  })
  await clock.settle()
  const list = async (namespace?: string) => (await client.list(pods, namespace ? { namespace } : {})).items
  return {
    clock,
    client,
    writes,
    manager,
    pods: list,
    async runPods(chosen) {
      for (const pod of chosen ?? (await list())) {
        if (pod.metadata.deletionTimestamp) await client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0 })
        if (pod.metadata.deletionTimestamp || pod.status?.phase === 'Running') continue
        const now = timestamp(clock.now())
        await client.updateStatus(pods, {
          ...pod,
          status: {
            ...pod.status,
            phase: 'Running',
            startTime: now,
            podIP: '10.244.0.9',
            podIPs: [{ ip: '10.244.0.9' }],
            conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
          },
        })
      }
      await clock.settle()
    },
    async [Symbol.asyncDispose]() {
      await manager.close()
      await server.close()
      assert.deepEqual(forbidden, [], 'a controller did what its role does not allow')
    },
  }
}

function watched(
  transport: Transport,
  { writes, forbidden }: { readonly writes: string[]; readonly forbidden: string[] },
  { refuse, answer }: Pick<WorldOptions, 'refuse' | 'answer'>,
): Transport {
  return {
    send(request, signal) {
      refuse?.(request)
      const answered = answer?.(request)
      if (answered !== undefined) return Promise.resolve(answered)
      if (request.method !== 'GET')
        writes.push(
          `${request.method} ${request.path.replace(/^\/apis?\/([^/]+\/)?v\w+\/(namespaces\/[^/]+\/)?/, '').split('/')[0]}`,
        )
      return transport.send(request, signal).catch((error: unknown) => {
        if (error instanceof ApiError && error.code === 403 && / cannot /.test(error.message))
          forbidden.push(error.message)
        throw error
      })
    },
    watch: (request, signal) => transport.watch(request, signal),
    close: () => transport.close(),
  }
}
