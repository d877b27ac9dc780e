import type { Informers } from '../client/informer/informers.ts'
import type { LeaderElection } from '../client/leader/leader-election.ts'
import { startComponentServer, type ComponentServerOptions, type HealthCheck } from '../serving/component-server.ts'
import type { SecureListener } from '../serving/secure-listener.ts'
import type { SchedulerConfiguration } from './configuration.ts'
import { configzOf } from './configz.ts'

/** Upstream's port. */
export const schedulerPort = 10_259

/** How the port is opened, and what it tells of. */
export interface SchedulerServerOptions extends Omit<ComponentServerOptions, 'health' | 'configz'> {
  readonly informers: Pick<Informers, 'unsynced'>
  /** The candidacy, when there is one; asked when it is needed, since the port opens before it stands. */
  readonly election?: (() => Pick<LeaderElection, 'fault'> | undefined) | undefined
  /** The process is ending. */
  readonly closing?: AbortSignal | undefined
  readonly config: SchedulerConfiguration
}

/** Serves a scheduler's health, metrics and configuration over HTTPS, as upstream's does. */
export function serveScheduler({
  informers,
  election,
  closing,
  config,
  ...options
}: SchedulerServerOptions): Promise<SecureListener> {
  const leadership: readonly HealthCheck[] = election
    ? [{ name: 'leaderElection', fault: () => election()?.fault() }]
    : []
  const ready: readonly HealthCheck[] = [
    ...leadership,
    { name: 'shutdown', fault: () => (closing?.aborted ? 'process is shutting down' : undefined) },
    {
      name: 'sched-handler-sync',
      fault: () => (informers.unsynced().length > 0 ? 'handlers are not fully synchronized' : undefined),
    },
  ]
  return startComponentServer({
    ...options,
    health: { healthz: () => leadership, livez: () => [], readyz: () => ready },
    configz: () => ({ componentconfig: configzOf(config, election !== undefined) }),
  })
}
