import { isAlreadyExists, isNotFound } from '../../api/errors/api-error.ts'
import { leases } from '../../api/generated/resources.ts'
import type { Lease } from '../../api/generated/types/coordination-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../client.ts'
import type { EventRecorder } from '../events/recorder.ts'
import { microTimestamp } from '../object.ts'

/** Who stands for election, for what, and what the leader does. */
export interface LeaderElectionOptions {
  readonly deps: Deps
  readonly client: Client
  readonly recorder?: EventRecorder
  /** The Lease that the candidates compete for. Upstream's: kube-system/kube-controller-manager, kube-system/kube-scheduler. */
  readonly lease: { readonly namespace: string; readonly name: string }
  /** This candidate: unique among all of them. */
  readonly identity: string
  /** How long a silent leader stays leader. 15 s. */
  readonly leaseDurationMs?: number
  /** How long a leader tries to renew before it gives up. 10 s. */
  readonly renewDeadlineMs?: number
  /** How often is tried. 2 s. */
  readonly retryPeriodMs?: number
  /** Called once this candidate leads; `signal` is aborted when it does no longer. */
  readonly lead: (signal: AbortSignal) => void | Promise<void>
  /** Called when leadership was lost without `close`: what runs must stop before somebody else begins. Upstream ends the process. */
  readonly lost?: () => void
}

/** A candidacy under way. */
export interface LeaderElection {
  isLeader(): boolean
  /** Who leads, as far as is known. */
  leader(): string
  /** What is wrong: a leader that has not renewed for long should have ended. Undefined when nothing is, and for those who wait. */
  fault(): string | undefined
  /** Stops, and gives the Lease back so that the next leader need not wait. */
  close(): Promise<void>
}

/** How long after the end of its Lease a leader counts as healthy still: upstream's health check allows as much. */
const faultAfterMs = 20_000

/** How much a candidate's period varies, so that not all try at once. */
const jitter = 1.2

/** Stands for election until closed. */
export function standForElection(options: LeaderElectionOptions): LeaderElection {
  const candidate = new Candidate(options)
  const done = candidate.run()
  return {
    isLeader: () => candidate.leading,
    leader: () => candidate.holder,
    fault: () => candidate.fault(),
    async close() {
      candidate.stop.abort(new Error('the candidate withdrew'))
      await done
    },
  }
}

class Candidate {
  leading = false
  holder = ''
  readonly stop = new AbortController()
  readonly #options: LeaderElectionOptions
  readonly #leaseDurationMs: number
  readonly #renewDeadlineMs: number
  readonly #retryPeriodMs: number
  /** The Lease as last seen, and when it was last seen to change: clocks of others are not trusted. */
  #seen: Frozen<Lease> | undefined
  #seenMs = 0

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000
  }

  fault(): string | undefined {
    if (!this.leading || this.#options.deps.clock.now() - this.#seenMs <= this.#leaseDurationMs + faultAfterMs)
      return undefined
    return `failed election to renew leadership on lease ${this.#options.lease.name}`
  }

  async run(): Promise<void> {
    const { deps, lease, lead, lost } = this.#options
    const status = deps.metrics.gauge(
      'leader_election_master_status',
      "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
    )
    const term = new AbortController()
    status.set(0, { name: lease.name })
    try {
      await this.#acquire()
      this.leading = true
      status.set(1, { name: lease.name })
      this.#tell(`${this.#options.identity} became leader`)
      const led = Promise.resolve(lead(term.signal))
      await this.#keep()
      this.leading = false
      status.set(0, { name: lease.name })
      term.abort(new Error('leadership is lost'))
      this.#tell(`${this.#options.identity} stopped leading`)
      await led
      if (!this.stop.signal.aborted) lost?.()
      else await this.#release()
    } catch (error) {
      this.leading = false
      term.abort(error)
      if (!this.stop.signal.aborted) {
        deps.log.error({ err: error, lease: lease.name }, 'the leader failed')
        lost?.()
      }
    }
  }

  async #acquire(): Promise<void> {
    const { clock, random } = this.#options.deps
    for (;;) {
      this.stop.signal.throwIfAborted()
      if (await this.#try()) return
      await clock.sleep(this.#retryPeriodMs * (1 + random.number() * jitter), this.stop.signal)
    }
  }

  /** Renews until that fails for too long, or the candidate withdraws. */
  async #keep(): Promise<void> {
    const { clock } = this.#options.deps
    let renewedMs = clock.now()
    for (;;) {
      try {
        await clock.sleep(this.#retryPeriodMs, this.stop.signal)
      } catch {
        return // withdrawn
      }
      if (await this.#try()) renewedMs = clock.now()
      else if (clock.now() - renewedMs >= this.#renewDeadlineMs) return
    }
  }

  /** Takes or renews the Lease; false when somebody else has it, or the server cannot be reached. */
  async #try(): Promise<boolean> {
    try {
      return await this.#takeOrRenew()
    } catch (error) {
      this.#options.deps.log.debug(
        { err: error, lease: this.#options.lease.name },
        'the lease could not be taken or renewed',
      )
      return false
    }
  }

  async #takeOrRenew(): Promise<boolean> {
    const { client, lease, identity, deps } = this.#options
    const { signal } = this.stop
    let current: Frozen<Lease> | undefined
    try {
      current = this.leading && this.#seen ? this.#seen : await client.get(leases, lease, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    const now = microTimestamp(deps.clock.now())
    const leaseDurationSeconds = Math.floor(this.#leaseDurationMs / 1000)
    if (!current) {
      const spec = {
        holderIdentity: identity,
        leaseDurationSeconds,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      }
      try {
        this.#note(await client.create(leases, { metadata: { ...lease }, spec }))
        return true
      } catch (error) {
        if (isAlreadyExists(error)) return false
        throw error
      }
    }
    if (current.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion) this.#note(current)
    const spec = current.spec ?? {}
    const held = spec.holderIdentity ?? ''
    const heldMs = (spec.leaseDurationSeconds ?? leaseDurationSeconds) * 1000
    if (held !== '' && held !== identity && this.#seenMs + heldMs > deps.clock.now()) return false
    const mine = held === identity
    const next = {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds,
      acquireTime: mine ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: mine ? (spec.leaseTransitions ?? 0) : (spec.leaseTransitions ?? 0) + 1,
    }
    try {
      this.#note(await client.update(leases, { ...current, spec: next }, { signal }))
    } catch (error) {
      // The next attempt reads it anew.
      this.#seen = undefined
      throw error
    }
    return true
  }

  async #release(): Promise<void> {
    const { client, deps } = this.#options
    if (!this.#seen || this.#seen.spec?.holderIdentity !== this.#options.identity) return
    const now = microTimestamp(deps.clock.now())
    try {
      await client.update(leases, {
        ...this.#seen,
        spec: { ...this.#seen.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now },
      })
    } catch (error) {
      deps.log.debug({ err: error }, 'the lease could not be given back; the next leader waits until it expires')
    }
  }

  #note(lease: Frozen<Lease>): void {
    this.#seen = lease
    this.#seenMs = this.#options.deps.clock.now()
    this.holder = lease.spec?.holderIdentity ?? ''
  }

  #tell(message: string): void {
    const { recorder, lease } = this.#options
    const object = this.#seen ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...lease } }
    recorder?.event(object, 'Normal', 'LeaderElection', message)
  }
}
