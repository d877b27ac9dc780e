import type { Clock } from '../../base/clock.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { ClusterEvent, EventHint, Plugin, Rejection } from '../framework.ts'

/** A Pod that waits to be scheduled. */
export interface QueuedPod {
  info: PodInfo
  /** When it was first queued; decides among equal priorities. */
  readonly sinceMs: number
  attempts: number
  /** When it was last found not to fit. */
  failedAtMs: number
  /** Which plugins rejected it; empty after an error. */
  rejectedBy: ReadonlySet<string>
  state: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'cycling'
  /** Something happened during its cycle that may help. */
  movedInCycle: boolean
}

/** How long a Pod that failed waits: the first time, and at most. */
export interface BackoffTimes {
  readonly firstMs: number
  readonly maxMs: number
}

/** Upstream's. */
const usualBackoff: BackoffTimes = { firstMs: 1000, maxMs: 10_000 }
/** A Pod that no event moved is tried again after this, in case a hint is wrong. Upstream: 5 minutes. */
const leftoverMs = 5 * 60_000
const leftoverEveryMs = 30_000

/**
 * The Pods that wait: active ones by priority, ones that back off, ones that wait for an event, ones held back by gates. Events move a Pod only when a plugin
 * that rejected it says that this event can help.
 */
export class SchedulingQueue {
  readonly #clock: Clock
  readonly #plugins: readonly Plugin[]
  readonly #backoffTimes: BackoffTimes
  readonly #hints = new Map<ClusterEvent, { plugin: string; hint: EventHint['hint'] }[]>()
  readonly #pods = new Map<string, QueuedPod>()
  readonly #active: QueuedPod[] = []
  /** The Pods that an event may bear on: the ones that wait for it, and the ones that are being tried. */
  readonly #concerned = new Set<QueuedPod>()
  #wake: (() => void) | undefined
  #closed = false
  readonly #cancel: () => void

  constructor(clock: Clock, plugins: readonly Plugin[], backoff: BackoffTimes = usualBackoff) {
    this.#clock = clock
    this.#plugins = plugins
    this.#backoffTimes = backoff
    for (const { name, events } of plugins)
      for (const { on, hint } of events) this.#hints.set(on, [...(this.#hints.get(on) ?? []), { plugin: name, hint }])
    this.#cancel = this.#flushLeftovers()
  }

  /** How many Pods are in each state, as upstream's metric counts them. */
  sizes(): Record<'active' | 'backoff' | 'unschedulable' | 'gated', number> {
    const sizes = { active: 0, backoff: 0, unschedulable: 0, gated: 0 }
    for (const { state } of this.#pods.values()) if (state !== 'cycling') sizes[state]++
    return sizes
  }

  /** A Pod without a node appeared or changed. Returns why it is held back, if it is. */
  add(info: PodInfo): Rejection | undefined {
    const known = this.#pods.get(info.key)
    if (known) return this.#changed(known, info)
    const entry: QueuedPod = {
      info,
      sinceMs: this.#clock.now(),
      attempts: 0,
      failedAtMs: 0,
      rejectedBy: new Set(),
      state: 'gated',
      movedInCycle: false,
    }
    this.#pods.set(info.key, entry)
    const gate = this.#gate(info.pod)
    if (gate) return gate
    this.#activate(entry)
    return undefined
  }

  delete(key: string): void {
    const entry = this.#pods.get(key)
    if (!entry) return
    this.#pods.delete(key)
    this.#concerned.delete(entry)
    if (entry.state === 'active') remove(this.#active, entry)
  }

  /** The next Pod to schedule; waits for one. Undefined when the queue is closed. */
  async next(): Promise<QueuedPod | undefined> {
    while (!this.#closed) {
      const entry = pop(this.#active)
      if (entry) {
        entry.state = 'cycling'
        this.#concerned.add(entry)
        entry.attempts++
        entry.movedInCycle = false
        return entry
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return undefined
  }

  /** The Pod has a node now. */
  done(entry: QueuedPod): void {
    this.#concerned.delete(entry)
    if (this.#pods.get(entry.info.key) === entry) this.#pods.delete(entry.info.key)
  }

  /** The Pod did not fit (by these plugins), or something failed (none). */
  failed(entry: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    if (this.#pods.get(entry.info.key) !== entry) return
    entry.failedAtMs = this.#clock.now()
    entry.rejectedBy = rejectedBy
    if (rejectedBy.size === 0 || entry.movedInCycle) this.#backoff(entry)
    else entry.state = 'unschedulable'
  }

  /** Something happened: Pods that it may help are tried again. */
  moved(event: ClusterEvent, object: Frozen<object>, old?: Frozen<object>): void {
    const hints = this.#hints.get(event)
    if (!hints) return
    for (const entry of this.#concerned) {
      if (entry.state === 'cycling') entry.movedInCycle = true
      else if (
        hints.some(({ plugin, hint }) => entry.rejectedBy.has(plugin) && (!hint || hint(entry.info, object, old)))
      )
        this.#backoff(entry)
    }
  }

  /** Tries these Pods again now; others keep their places. */
  activate(keys: Iterable<string>): void {
    for (const key of keys) {
      const entry = this.#pods.get(key)
      if (entry && (entry.state === 'unschedulable' || entry.state === 'backoff')) this.#activate(entry)
    }
  }

  close(): void {
    this.#closed = true
    this.#cancel()
    this.#wake?.()
  }

  #gate(pod: Frozen<Pod>): Rejection | undefined {
    for (const { name, preEnqueue } of this.#plugins) {
      const rejection = preEnqueue?.(pod)
      if (rejection) return { ...rejection, plugin: name }
    }
    return undefined
  }

  #changed(entry: QueuedPod, info: PodInfo): Rejection | undefined {
    const before = entry.info
    entry.info = info
    if (entry.state === 'gated') {
      const gate = this.#gate(info.pod)
      if (gate) return gate
      this.#activate(entry)
    } else if (
      entry.state === 'unschedulable' &&
      (before.signature !== info.signature || !sameSpec(before.pod, info.pod))
    )
      this.#backoff(entry)
    else if (entry.state === 'active' && before.priority !== info.priority) {
      remove(this.#active, entry)
      push(this.#active, entry)
    }
    return undefined
  }

  #activate(entry: QueuedPod): void {
    this.#concerned.delete(entry)
    entry.state = 'active'
    push(this.#active, entry)
    this.#wake?.()
    this.#wake = undefined
  }

  #backoff(entry: QueuedPod): void {
    const waitMs =
      entry.attempts === 0
        ? 0
        : Math.min(this.#backoffTimes.firstMs * 2 ** (entry.attempts - 1), this.#backoffTimes.maxMs)
    const leftMs = entry.failedAtMs + waitMs - this.#clock.now()
    if (leftMs <= 0) return this.#activate(entry)
    entry.state = 'backoff'
    this.#concerned.delete(entry)
    this.#clock.after(leftMs, () => {
      if (entry.state === 'backoff' && this.#pods.get(entry.info.key) === entry && !this.#closed) this.#activate(entry)
    })
  }

  #flushLeftovers(): () => void {
    let cancel = () => {}
    const again = () => {
      const oldMs = this.#clock.now() - leftoverMs
      for (const entry of this.#pods.values())
        if (entry.state === 'unschedulable' && entry.failedAtMs <= oldMs) this.#backoff(entry)
      cancel = this.#clock.after(leftoverEveryMs, again)
    }
    cancel = this.#clock.after(leftoverEveryMs, again)
    return () => cancel()
  }
}

/** Whether nothing that scheduling reads has changed: status updates (our own among them) must not bring a Pod back. */
const sameSpec = (a: Frozen<Pod>, b: Frozen<Pod>): boolean =>
  JSON.stringify([a.spec, a.metadata.labels]) === JSON.stringify([b.spec, b.metadata.labels])

const before = (a: QueuedPod, b: QueuedPod) =>
  a.info.priority > b.info.priority || (a.info.priority === b.info.priority && a.sinceMs < b.sinceMs)

// The active queue is sorted from last to first and taken from its end: inserting is a binary search, taking is cheap.

function push(list: QueuedPod[], entry: QueuedPod): void {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (before(entry, list[middle]!)) low = middle + 1
    else high = middle
  }
  list.splice(low, 0, entry)
}

const pop = (list: QueuedPod[]): QueuedPod | undefined => list.pop()

function remove(list: QueuedPod[], entry: QueuedPod): void {
  const at = list.indexOf(entry)
  if (at >= 0) list.splice(at, 1)
}
