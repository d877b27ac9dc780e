import type { Deps } from '../../base/deps.ts'
import type { ContainerRuntime, RuntimeEvent } from '../../runtime/runtime.ts'
import type { RuntimeState } from './runtime-state.ts'
import type { PodState } from './pod-state.ts'
import { ownerOf, type PodOwner } from './read-pod.ts'

/** What looks for changes in the runtime. */
export interface PlegOptions extends Deps {
  readonly runtime: ContainerRuntime
  readonly state: RuntimeState
  /** A pod is not as it was. */
  readonly changed: (uid: string) => void
  /** After each look: every pod that has anything in the runtime. */
  readonly looked: (present: ReadonlySet<string>) => void
}

/** Upstream's period. */
const periodMs = 1000
/** After a change the next one is likely: looks come close, then further apart. */
const soonMs = 100
const spreadFactor = 0.5
/** When nothing has happened for a while, looking costs more than it finds. */
const calmAfterMs = 60_000
const calmPeriodMs = 2500
/** A runtime that tells of changes by itself is looked at only for what may have been lost; well before its silence counts as a fault. */
const toldPeriodMs = 60_000
/** So long after news of what nobody knows yet, everything is looked at. */
const unsureMs = 2000
/** A stream of events that has not failed for this long is one: it says nothing before the first event. */
const trustMs = 1000
/** What has ended may be listed as running for a moment more: it is looked at again after each of these. */
const endingMs = [5, 20, 50, 200, 1000]
/** A stream of events that breaks is opened again after this long; one that the runtime does not have, never. */
const eventsRetryMs = 5000

/**
 * The pod lifecycle event generator: finds what changed in the runtime, by its events where it has them, else by listing everything and comparing.
 */
export class Pleg {
  readonly #options: PlegOptions
  #changedMs: number
  #told = false
  /** When last something was told of a container that no list has shown yet. */
  #unsureMs = 0
  #looking: Promise<void> | undefined
  #hurry: () => void = () => undefined
  /** When the last look that succeeded was. */
  lookedMs: number

  constructor(options: PlegOptions) {
    this.#options = options
    this.#changedMs = this.lookedMs = options.clock.now()
  }

  /** Runs until the signal is aborted. The first look is awaited: after it, everything that runs is known. */
  async start(signal: AbortSignal): Promise<void> {
    await this.look()
    this.#follow(signal).catch((error: unknown) =>
      this.#options.log.error({ err: error }, 'following the runtime failed'),
    )
    this.#repeat(signal).catch((error: unknown) =>
      this.#options.log.error({ err: error }, 'looking at the runtime failed'),
    )
  }

  /** Looks now; two at once are one. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #look(): Promise<void> {
    const { state, clock, changed, looked } = this.#options
    const found = await state.relist()
    this.lookedMs = clock.now()
    if (found.changed.length > 0) this.#changedMs = this.lookedMs
    for (const uid of found.changed) changed(uid)
    looked(found.present)
  }

  async #repeat(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      await this.#wait(signal)
      if (signal.aborted) return
      try {
        await this.look()
      } catch (error) {
        log.warn({ err: error }, 'the container runtime could not be listed; it is tried again')
        // A runtime that is away need not be asked more often.
        this.#changedMs = Math.min(this.#changedMs, clock.now() - periodMs / spreadFactor)
      }
    }
  }

  /** Something was done to the runtime, and more will happen there soon. */
  expectChange(): void {
    if (!this.#told) this.#lookSoon()
  }

  #lookSoon(): void {
    this.#unsureMs = this.#changedMs = this.#options.clock.now()
    this.#hurry()
  }

  /** Until the next look. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const cut = new AbortController()
    this.#hurry = () => cut.abort()
    const periodMs = this.#periodMs()
    await clock.sleep(periodMs, AbortSignal.any([signal, cut.signal])).catch(() => undefined) // Aborted by the end, or by a change to expect.
    this.#hurry = () => undefined
    if (cut.signal.aborted && !signal.aborted)
      await clock.sleep(Math.min(soonMs, periodMs), signal).catch(() => undefined) // The same.
  }

  #periodMs(): number {
    const nowMs = this.#options.clock.now()
    if (this.#told && nowMs - this.#unsureMs > unsureMs) return toldPeriodMs
    const sinceMs = nowMs - this.#changedMs
    return sinceMs > calmAfterMs ? calmPeriodMs : Math.max(soonMs, Math.min(periodMs, sinceMs * spreadFactor))
  }

  /** Reads the pod that an event is about. */
  async #see(owner: PodOwner, { id, ended }: RuntimeEvent, signal: AbortSignal): Promise<void> {
    const { state, clock, changed } = this.#options
    this.#changedMs = clock.now()
    let pod = await state.pod(owner, state.mark())
    for (const waitMs of ended ? endingMs : []) {
      if (!runs(pod, id)) break
      await clock.sleep(waitMs, signal)
      pod = await state.pod(owner, state.mark())
    }
    changed(owner.uid)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { runtime, clock, log, state } = this.#options
    while (!signal.aborted) {
      const cancelTrust = clock.after(trustMs, () => (this.#told = true))
      try {
        for await (const event of runtime.events(signal)) {
          const owner = event.labels ? ownerOf(event.labels) : state.ownerOf(event.id)
          if (!owner) this.#lookSoon()
          else
            this.#see(owner, event, signal).catch((error: unknown) =>
              log.debug({ err: error }, 'a change in the runtime could not be read'),
            )
        }
      } catch (error) {
        if ((error as { code?: string }).code === 'Unimplemented')
          return log.debug({}, 'the runtime has no events; it is listed instead')
        log.debug({ err: error }, 'the stream of runtime events broke')
      } finally {
        cancelTrust()
        this.#told = false
        this.#hurry()
      }
      await clock.sleep(eventsRetryMs, signal).catch(() => undefined) // Aborted: the loop ends.
    }
  }
}

/** Whether a container or a sandbox of that id is among what runs. */
const runs = ({ containers, sandboxes }: PodState, id: string): boolean =>
  containers.some((one) => one.id === id && one.phase === 'running') ||
  sandboxes.some((one) => one.id === id && one.ready)
