import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informer/informers.ts'
import type { ConfigzFacts } from '../controllers/configz.ts'
import type { ControllerManager } from '../controllers/controller-manager.ts'
import { controllerManagerPort, serveControllerManager } from '../controllers/serve.ts'
import { schedulerPort, serveScheduler } from '../scheduler/serve.ts'
import type { SecureListener } from '../serving/secure-listener.ts'
import type { LivePki } from './pki/live-pki.ts'

/** The components of the process that have a port of their own. */
export interface ComponentPorts {
  readonly live: Pick<LivePki, 'current'>
  readonly manager: Deps & {
    readonly manager: ControllerManager
    readonly client: Client
    readonly facts: ConfigzFacts
  }
  readonly scheduler: Deps & { readonly client: Client; readonly informers: Informers }
}

/** Only this machine asks them, as with kubeadm. */
const host = '127.0.0.1'

/**
 * Opens the controllers' and the scheduler's HTTPS ports, where Prometheus looks for them. Until somebody connects they are two sockets. They show the API
 * server's certificate, which is good for this address.
 */
export async function openComponentPorts({
  live,
  manager: { manager, client, facts, ...managed },
  scheduler: { client: asScheduler, informers, ...scheduling },
}: ComponentPorts): Promise<SecureListener[]> {
  const shared = {
    host,
    serving: () => Promise.resolve(live.current.apiServer),
    clientCa: () => live.current.authority.cert,
  }
  const asked = (by: Client) => ({ authentication: by, authorization: by })
  const opened = await Promise.all([
    unlessTaken(managed, controllerManagerPort, (port) =>
      serveControllerManager({ ...managed, ...shared, ...asked(client), port, manager, facts }),
    ),
    unlessTaken(scheduling, schedulerPort, (port) =>
      serveScheduler({ ...scheduling, ...shared, ...asked(asScheduler), port, informers, config: {} }),
    ),
  ])
  return opened.flatMap((listener) => listener ?? [])
}

/** Another cluster on this machine may have the port: this one then goes on without. */
async function unlessTaken(
  { log }: Deps,
  port: number,
  open: (port: number) => Promise<SecureListener>,
): Promise<SecureListener | undefined> {
  try {
    return await open(port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    log.warn({ port }, 'the port for metrics and health is taken; the cluster goes on without it')
    return undefined
  }
}
