import type { TestContext } from 'node:test'
import type { KubernetesObject } from '../api/resource.ts'
import { VirtualClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { seededRandom } from '../base/random.ts'
import type { Transport, TransportRequest } from '../client/transport.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { startApiServer, type ApiServer, type ApiServerOptions, type User } from './apiserver.ts'

export const admin: User = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

/** An object whose parts a test looks into. */
export type Loose = KubernetesObject & {
  metadata: NonNullable<KubernetesObject['metadata']>
  spec: Record<string, never>
  status: Record<string, never>
  items: Loose[]
  data: Record<string, string>
}

/** A server on a store in memory, on a clock that the test moves; closed with the test. */
export interface TestServer {
  readonly server: ApiServer
  readonly clock: VirtualClock
  readonly transport: Transport
  send(
    method: TransportRequest['method'],
    path: string,
    body?: unknown,
    more?: Partial<TransportRequest>,
  ): Promise<Loose>
}

/** Starts one. */
export async function startTestServer(t: TestContext, options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const store = openMemoryStore(deps)
  const server = await startApiServer({ ...deps, store, freeze: true, ...options })
  t.after(async () => {
    await server.close()
    await store.close()
  })
  const transport = server.transport(admin, 'test/1.0')
  await transport.send({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts',
    body: { metadata: { name: 'default' } },
  })
  return {
    server,
    clock,
    transport,
    send: (method, path, body, more) => transport.send({ method, path, body, ...more }) as Promise<Loose>,
  }
}

export const configMaps = '/api/v1/namespaces/default/configmaps'
export const pods = '/api/v1/namespaces/default/pods'

/** The smallest pod. */
export const pod = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'app:1' }], ...spec },
})
