import type { Event } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import { tokenBucket, type TokenBucket } from '../queue/rate-limiter.ts'

/** Upstream's figures. */
const similarMax = 10
const similarIntervalMs = 600_000
const spamBurst = 25
const spamPerSecond = 1 / 300
const remembered = 4096

/** What is to be written for an event: a new object, or a higher count of one that is there. */
export type Correlated =
  | { readonly write: 'nothing' }
  | { readonly write: 'create'; readonly event: Event; readonly key: string }
  | { readonly write: 'count'; readonly event: Event; readonly key: string }

interface Written {
  name: string
  namespace: string
  count: number
  firstTimestamp: string
}

/**
 * Keeps one source from flooding the API: equal events become a count, more than ten that differ only in their message within ten minutes
 * become one "combined" event, and of what is left each object has a budget.
 */
export class EventCorrelator {
  readonly #clock: Clock
  readonly #buckets = new Recent<TokenBucket>()
  readonly #similar = new Recent<{ readonly messages: Set<string>; lastMs: number }>()
  readonly #written = new Recent<Written>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  correlate(event: Event): Correlated {
    const { message, key } = this.#aggregate(event)
    const object = objectKey(event)
    const bucket =
      this.#buckets.get(object) ?? this.#buckets.set(object, tokenBucket(this.#clock, spamPerSecond, spamBurst))
    if (!bucket.take()) return { write: 'nothing' }
    const known = this.#written.get(key)
    if (!known) {
      const created = { ...event, message }
      this.#written.set(key, {
        name: event.metadata.name ?? '',
        namespace: event.metadata.namespace ?? '',
        count: 1,
        firstTimestamp: event.firstTimestamp ?? '',
      })
      return { write: 'create', event: created, key }
    }
    known.count++
    return {
      write: 'count',
      key,
      event: {
        ...event,
        message,
        count: known.count,
        firstTimestamp: known.firstTimestamp,
        metadata: { ...event.metadata, name: known.name, namespace: known.namespace },
      },
    }
  }

  /** The event as the server has it now; later ones count on from there. */
  stored(key: string, event: Frozen<Event>): void {
    this.#written.set(key, {
      name: event.metadata.name ?? '',
      namespace: event.metadata.namespace ?? '',
      count: event.count ?? 1,
      firstTimestamp: event.firstTimestamp ?? '',
    })
  }

  #aggregate(event: Event): { message: string; key: string } {
    const nowMs = this.#clock.now()
    const group = similarKey(event)
    const message = event.message ?? ''
    let similar = this.#similar.get(group)
    if (!similar || nowMs - similar.lastMs > similarIntervalMs)
      similar = this.#similar.set(group, { messages: new Set(), lastMs: nowMs })
    similar.messages.add(message)
    similar.lastMs = nowMs
    if (similar.messages.size < similarMax) return { message, key: `${group}\0${message}` }
    // Which message does not matter any more; the set must not grow.
    similar.messages.delete(similar.messages.values().next().value ?? '')
    return { message: `(combined from similar events): ${message}`, key: group }
  }
}

const objectKey = ({ source, involvedObject: o }: Event): string =>
  [source?.component, source?.host, o.kind, o.namespace, o.name, o.uid, o.apiVersion].join('\0')

const similarKey = (event: Event): string =>
  [
    objectKey(event),
    event.involvedObject.fieldPath,
    event.type,
    event.reason,
    event.reportingComponent,
    event.reportingInstance,
  ].join('\0')

/** A map that forgets what was not used for longest. */
class Recent<Value> {
  readonly #entries = new Map<string, Value>()

  get(key: string): Value | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return value
  }

  set(key: string, value: Value): Value {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > remembered) this.#entries.delete(this.#entries.keys().next().value ?? '')
    return value
  }
}
