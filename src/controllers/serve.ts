import { startComponentServer, type ComponentServerOptions, type HealthCheck } from '../serving/component-server.ts'
import type { SecureListener } from '../serving/secure-listener.ts'
import { configzOf, type ConfigzFacts } from './configz.ts'
import type { ControllerManager } from './controller-manager.ts'

/** Upstream's port. */
export const controllerManagerPort = 10_257

/** How the port is opened, and what /configz tells. */
export interface ControllerManagerServerOptions extends Omit<ComponentServerOptions, 'health' | 'configz'> {
  readonly manager: ControllerManager
  readonly facts: ConfigzFacts
}

/** Serves a controller manager's health, metrics and configuration over HTTPS. Beside upstream's /healthz there are /livez and /readyz. */
export function serveControllerManager({
  manager,
  facts,
  ...options
}: ControllerManagerServerOptions): Promise<SecureListener> {
  const { election, informers } = manager
  const leadership: readonly HealthCheck[] = election ? [{ name: 'leaderElection', fault: () => election.fault() }] : []
  const synced: HealthCheck = {
    name: 'informer-sync',
    fault() {
      const missing = informers.unsynced()
      return missing.length === 0 ? undefined : `${missing.length} informers not started yet: [${missing.join(' ')}]`
    },
  }
  return startComponentServer({
    ...options,
    health: {
      // A controller that runs passes: what it fails at is in its metrics and its log.
      healthz: () => [
        ...leadership,
        ...(manager.isLeader() ? manager.controllers : []).map((name): HealthCheck => ({
          name,
          fault: () => undefined,
        })),
      ],
      livez: () => leadership,
      readyz: () => [...leadership, synced],
    },
    configz: () => ({ 'kubecontrollermanager.config.k8s.io': configzOf(facts) }),
  })
}
