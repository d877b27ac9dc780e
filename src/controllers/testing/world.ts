import { pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { newClient, type Client } from '../../client/client.ts'
import { timestamp } from '../../client/object.ts'
import { startControllerManager, type ControllerManager, type ControllerManagerOptions } from '../controller-manager.ts'
import { FakeApi } from './fake-api.ts'

/** Controllers on a fake API server and a virtual clock. */
export interface World extends AsyncDisposable {
  readonly clock: VirtualClock
  readonly api: FakeApi
  readonly client: Client
  readonly manager: ControllerManager
  /** All pods, by name. */
  pods(namespace?: string): Promise<readonly Frozen<Pod>[]>
  /** Makes pods Running and ready, as a kubelet would: all that are not, or those given. */
  runPods(chosen?: readonly Frozen<Pod>[]): Promise<void>
}

/** Starts the named controllers. */
export async function startWorld(controllers: readonly string[], options: Partial<ControllerManagerOptions> = {}): Promise<World> {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const api = new FakeApi(clock, seededRandom(2))
  const client = newClient(api)
  const manager = startControllerManager({ ...deps, ...options, client, controllers })
  await clock.settle()
  const list = async (namespace?: string) => (await client.list(pods, namespace ? { namespace } : {})).items
  return {
    clock,
    api,
    client,
    manager,
    pods: list,
    async runPods(chosen) {
      for (const pod of chosen ?? (await list())) {
        if (pod.metadata.deletionTimestamp || pod.status?.phase === 'Running') continue
        const now = timestamp(clock.now())
        await client.updateStatus(pods, { ...pod, status: { phase: 'Running', startTime: now, podIP: '10.244.0.9', podIPs: [{ ip: '10.244.0.9' }], conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }] } })
      }
      await clock.settle()
    },
    async [Symbol.asyncDispose]() {
      await manager.close()
    },
  }
}
