import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { eventRecorder, type EventRecorder } from '../client/events/recorder.ts'
import { Informers } from '../client/informer/informers.ts'
import { standForElection, type LeaderElection } from '../client/leader/leader-election.ts'
import { controllerAccounts } from './accounts.ts'
import { controllerTable } from './controller-table.ts'
import type { ControllerDescriptor, Running, StartContext } from './framework/descriptor.ts'
import { defaultControllerOptions, type ControllerOptions } from './options.ts'

/** How the controllers are run. */
export interface ControllerManagerOptions extends Deps, Partial<ControllerOptions> {
  /** The manager itself: its informers, its Lease. */
  readonly client: Client
  /** As a service account in kube-system, for the controller that acts as it: --use-service-account-credentials. Absent: all controllers act as the manager. */
  readonly clientFor?: ((account: string) => Client) | undefined
  /** Shared with other components of the process; made, and closed, here when absent. */
  readonly informers?: Informers
  /** Names as in upstream's --controllers: '*' is all that are on by default, 'x' and '-x' add and remove one. ['*'] when absent. */
  readonly controllers?: readonly string[]
  /** Run only while leader of the lease, kube-system/kube-controller-manager when none is named. Absent: run at once. */
  readonly leaderElection?: {
    readonly identity: string
    readonly lease?: { readonly namespace: string; readonly name: string }
    readonly leaseDurationMs?: number
    readonly renewDeadlineMs?: number
    readonly retryPeriodMs?: number
    readonly lost?: () => void
  }
}

/** The controllers, running. */
export interface ControllerManager {
  /** Every controller's caches are filled and it works. Never, while somebody else leads. */
  readonly ready: Promise<void>
  /** The names of those that run. */
  readonly controllers: readonly string[]
  readonly informers: Informers
  isLeader(): boolean
  /** The candidacy, when there is one. */
  readonly election: Pick<LeaderElection, 'fault'> | undefined
  /** Stops all of them; resolves when what was begun is done. */
  close(): Promise<void>
}

/** Which controllers a list of names as in --controllers chooses. Unknown names are an error. */
export function chosenControllers(
  table: readonly ControllerDescriptor[],
  names: readonly string[] = ['*'],
): ControllerDescriptor[] {
  const known = new Set(table.map(({ name }) => name))
  for (const name of names) {
    const bare = name.replace(/^-/, '')
    if (bare !== '*' && !known.has(bare))
      throw new Error(`"${bare}" is not in the list of known controllers: ${[...known].sort().join(', ')}`)
  }
  return table.filter(({ name, offByDefault }) => {
    if (names.includes(name)) return true
    if (names.includes(`-${name}`)) return false
    return names.includes('*') && !offByDefault
  })
}

/** Starts the controllers. */
export function startControllerManager(options: ControllerManagerOptions): ControllerManager {
  const chosen = chosenControllers(controllerTable, options.controllers)
  const informers = options.informers ?? new Informers({ deps: options, client: options.client })
  const recorders = new Map<string, EventRecorder>()
  const recorderAs = (by: Client, account: string, component: string) => {
    const key = `${account}/${component}`
    const known = recorders.get(key) ?? eventRecorder({ deps: options, client: by, component })
    recorders.set(key, known)
    return known
  }
  const { clock, random, log, metrics, client } = options
  const shared = { clock, random, log, metrics, informers, options: { ...defaultControllerOptions, ...given(options) } }
  const contextOf = ({ name }: ControllerDescriptor): StartContext => {
    const account = controllerAccounts[name] ?? ''
    const by = (account && options.clientFor?.(account)) || client
    return { ...shared, client: by, recorder: (component) => recorderAs(by, account, component) }
  }
  const running = metrics.gauge(
    'running_managed_controllers',
    'Indicates where instances of a controller are currently running',
  )
  const started: Running[] = []
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  // Whoever does not wait for it hears of a failure by the log.
  ready.catch((error: unknown) => log.error({ err: error }, 'the controllers did not start'))

  const startAll = () => {
    for (const descriptor of chosen) {
      started.push(descriptor.start(contextOf(descriptor)))
      running.set(1, { manager: 'kube-controller-manager', name: descriptor.name })
    }
    Promise.all(started.map((controller) => controller.ready)).then(() => resolve(), reject)
  }
  const stopAll = async () => {
    await Promise.all(started.splice(0).map((controller) => controller.close()))
    for (const { name } of chosen) running.set(0, { manager: 'kube-controller-manager', name })
  }

  let election: LeaderElection | undefined
  if (options.leaderElection) {
    election = standForElection({
      lease: { namespace: 'kube-system', name: 'kube-controller-manager' },
      ...options.leaderElection,
      deps: options,
      client,
      recorder: recorderAs(client, '', 'kube-controller-manager'),
      lead(signal) {
        startAll()
        return new Promise((stopped) =>
          signal.addEventListener('abort', () => void stopAll().then(stopped), { once: true }),
        )
      },
    })
  } else startAll()

  return {
    ready,
    controllers: chosen.map(({ name }) => name),
    informers,
    isLeader: () => election?.isLeader() ?? true,
    election,
    async close() {
      await stopAll()
      await election?.close()
      await Promise.all([...recorders.values()].map((each) => each.close()))
      if (!options.informers) await informers.close()
    },
  }
}

/** The controllers' own options among all that was given; what is undefined counts as not given. */
function given(options: ControllerManagerOptions): Partial<ControllerOptions> {
  const {
    clock: _clock,
    random: _random,
    log: _log,
    metrics: _metrics,
    client: _client,
    clientFor: _clientFor,
    informers: _informers,
    controllers: _controllers,
    leaderElection: _election,
    ...rest
  } = options
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
}
