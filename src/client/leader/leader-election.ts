import { isConflict, isNotFound } from '../../api/errors/api-error.ts'
import { leases } from '../../api/generated/resources.ts'
import type { Lease } from '../../api/generated/types/coordination-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../client.ts'
import type { EventRecorder } from '../events/recorder.ts'
import { microTimestamp } from '../object.ts'
import { within } from './within.ts'

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
  /** Called at once when leadership was lost without `close`: what runs must stop before somebody else begins. Upstream ends the process. */
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

/** A request is given up after this part of the time in which a leader must renew, so that a server that hangs leaves room for another attempt. */
const requestPart = 0.5
const requestMsMin = 1_000

/** Attempts to give the Lease back: a renewal that was cut off may still arrive in between. */
const releasesMax = 3

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
  /** The server may have another one: a request failed. */
  #stale = false
  /** It has not changed for as long as it lasts. By a timer, since the time of day may be set. */
  #expired = false
  #cancelExpiry = () => {}

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
    const { lost, identity } = this.#options
    try {
      this.#show(false)
      await this.#acquire()
      const term = new AbortController()
      const failed = new AbortController()
      this.#show(true)
      this.#tell(`${identity} became leader`)
      const led = this.#lead(term.signal, failed)
      await this.#keep(AbortSignal.any([this.stop.signal, failed.signal]))
      this.#show(false)
      term.abort(new Error('leadership is lost'))
      this.#tell(`${identity} stopped leading`)
      // Before what runs has ended, which may take longer than the Lease lasts.
      if (!this.stop.signal.aborted) lost?.()
      await led
      if (this.stop.signal.aborted) await this.#release()
    } catch (error) {
      if (!this.stop.signal.aborted) throw error
    } finally {
      this.#cancelExpiry()
    }
  }

  async #lead(signal: AbortSignal, failed: AbortController): Promise<void> {
    try {
      await this.#options.lead(signal)
    } catch (error) {
      this.#options.deps.log.error({ err: error, lease: this.#options.lease.name }, 'the leader failed')
      failed.abort(error)
    }
  }

  async #acquire(): Promise<void> {
    const { clock, random } = this.#options.deps
    while (!(await this.#try(this.stop.signal)))
      await clock.sleep(this.#retryPeriodMs * (1 + random.number() * jitter), this.stop.signal)
  }

  /** Renews until that fails for too long, somebody else has the Lease, or the signal is aborted. */
  async #keep(signal: AbortSignal): Promise<void> {
    for (let renewed = true; renewed;) {
      const term = within(this.#options.deps.clock, this.#renewDeadlineMs, signal)
      renewed = await this.#renew(term.signal)
      term.done()
    }
  }

  /** The next renewal. False: there is none. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    do {
      try {
        await this.#options.deps.clock.sleep(this.#retryPeriodMs, signal)
      } catch {
        return false
      }
      if (await this.#try(signal)) return true
    } while (this.holder === this.#options.identity)
    return false
  }

  /** Takes or renews the Lease; false when somebody else has it, or the server does not answer. */
  async #try(signal: AbortSignal): Promise<boolean> {
    const { deps, lease } = this.#options
    if (signal.aborted) return false
    const attempt = within(deps.clock, Math.max(requestMsMin, this.#renewDeadlineMs * requestPart), signal)
    try {
      // Whoever carries the request may be slow to let go of it.
      const mine = await Promise.race([this.#takeOrRenew(attempt.signal), attempt.ended])
      if (!mine) return false
      this.#note(mine)
      this.#stale = false
      return true
    } catch (error) {
      this.#stale = true
      deps.log.debug({ err: error, lease: lease.name }, 'the lease could not be taken or renewed')
      return false
    } finally {
      attempt.done()
    }
  }

  /** The Lease as this candidate's; undefined when it is somebody else's. */
  async #takeOrRenew(signal: AbortSignal): Promise<Frozen<Lease> | undefined> {
    const { client, lease, identity, deps } = this.#options
    const current = this.leading && !this.#stale ? this.#seen : await this.#read(signal)
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
      return client.create(leases, { metadata: { ...lease }, spec }, { signal })
    }
    if (current.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion) this.#note(current)
    const spec = current.spec ?? {}
    const held = spec.holderIdentity ?? ''
    const mine = held === identity
    if (held !== '' && !mine && !this.#expired) return undefined
    const next = {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds,
      acquireTime: mine ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: mine ? (spec.leaseTransitions ?? 0) : (spec.leaseTransitions ?? 0) + 1,
    }
    return client.update(leases, { ...current, spec: next }, { signal })
  }

  async #read(signal: AbortSignal): Promise<Frozen<Lease> | undefined> {
    const { client, lease } = this.#options
    try {
      return await client.get(leases, lease, { signal })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #release(): Promise<void> {
    const { deps } = this.#options
    const attempt = within(deps.clock, this.#renewDeadlineMs)
    try {
      await Promise.race([this.#giveBack(attempt.signal), attempt.ended])
    } catch (error) {
      deps.log.debug({ err: error }, 'the lease could not be given back; the next leader waits until it expires')
    } finally {
      attempt.done()
    }
  }

  async #giveBack(signal: AbortSignal): Promise<void> {
    const { client, identity, deps } = this.#options
    for (let attempt = 1; ; attempt++) {
      const current = await this.#read(signal)
      if (current?.spec?.holderIdentity !== identity) return
      const now = microTimestamp(deps.clock.now())
      const spec = { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now }
      try {
        await client.update(leases, { ...current, spec }, { signal })
        return
      } catch (error) {
        if (!isConflict(error) || attempt === releasesMax) throw error
      }
    }
  }

  #note(lease: Frozen<Lease>): void {
    const { clock } = this.#options.deps
    this.#seen = lease
    this.#seenMs = clock.now()
    this.holder = lease.spec?.holderIdentity ?? ''
    this.#cancelExpiry()
    this.#expired = false
    const { leaseDurationSeconds } = lease.spec ?? {}
    const lastsMs = leaseDurationSeconds === undefined ? this.#leaseDurationMs : leaseDurationSeconds * 1000
    this.#cancelExpiry = clock.after(lastsMs, () => (this.#expired = true))
  }

  #show(leading: boolean): void {
    this.leading = leading
    this.#options.deps.metrics
      .gauge(
        'leader_election_master_status',
        "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
      )
      .set(leading ? 1 : 0, { name: this.#options.lease.name })
  }

  #tell(message: string): void {
    const { recorder, lease } = this.#options
    const object = this.#seen ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...lease } }
    recorder?.event(object, 'Normal', 'LeaderElection', message)
  }
}
