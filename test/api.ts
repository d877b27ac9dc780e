import { startApiServer, type User } from '../src/apiserver/apiserver.ts'
import type { ApiServerOptions } from '../src/apiserver/apiserver.ts'
import type { Deps } from '../src/base/deps.ts'
import { newClient } from '../src/client/client.ts'
import type { Client } from '../src/client/client.ts'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'

/** An API server in memory, and a client that may do everything. */
export interface TestApi {
  readonly client: Client
  /** As somebody else. */
  clientAs(user: User): Client
  close(): Promise<void>
}

/** Starts one for a component's test. Objects are frozen, so that a forgotten copy fails. */
export async function startTestApi(deps: Deps, options: Partial<ApiServerOptions> = {}): Promise<TestApi> {
  // No service accounts are made here, so pods must do without.
  const server = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    authorizationModes: ['AlwaysAllow'],
    disableAdmissionPlugins: ['ServiceAccount'],
    freeze: true,
    ...options,
  })
  const transport = server.transport({ name: 'system:admin', groups: ['system:masters', 'system:authenticated'] })
  return {
    client: newClient(transport),
    clientAs: (user) => newClient(server.transport(user)),
    close: () => server.close(),
  }
}
