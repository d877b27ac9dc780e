import { ApiError, isAlreadyExists, isNotFound } from '../../api/errors/api-error.ts'
import { events } from '../../api/generated/resources.ts'
import type { Event, ObjectReference } from '../../api/generated/types/core-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { apiVersionOf } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../client.ts'
import { nameOf, namespaceOf, timestamp, uidOf } from '../object.ts'
import { EventCorrelator } from './correlator.ts'

/** Tells users what a component did, as Event objects. Never waits, never fails: events are best effort. */
export interface EventRecorder {
  /** About an object that has its kind and apiVersion (as answers of the API have); else name its resource. */
  event(object: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Resolves when what was recorded so far is written or given up. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** What an event is about: an object, or a reference to one (with a `fieldPath` for a part of it). */
export type EventSubject = Frozen<KubernetesObject> | { readonly reference: Frozen<ObjectReference> }

/** Who records. */
export interface EventRecorderOptions {
  readonly deps: Deps
  readonly client: Client
  /** 'kubelet', 'replicaset-controller', 'default-scheduler' … */
  readonly component: string
  /** The node, for components of one. */
  readonly host?: string
}

/** Events that wait to be written, at most; more are dropped, as upstream's do. */
const waitingMax = 1000
/** An unreachable server is tried this often, at this distance. */
const attemptsMax = 12
const retryMs = 10_000
/** Upstream refuses longer messages. */
const messageLengthMax = 1024

/** A recorder for one component. */
export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options)
}

/** The reference to an object of a resource, for objects that may lack their kind. */
export const referenceTo = (resource: Resource, object: Frozen<KubernetesObject>): { reference: ObjectReference } => ({
  reference: {
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    name: nameOf(object),
    uid: uidOf(object),
    ...(object.metadata?.namespace && { namespace: object.metadata.namespace }),
    ...(object.metadata?.resourceVersion && { resourceVersion: object.metadata.resourceVersion }),
  },
})

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #correlator: EventCorrelator
  readonly #closed = new AbortController()
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0
  #sequence = 0

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#correlator = new EventCorrelator(options.deps.clock)
  }

  event(object: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#closed.signal.aborted || this.#waiting >= waitingMax) return
    const event = this.#make(referenceOf(object), type, reason, message)
    this.#waiting++
    this.#tail = this.#tail.then(() => this.#write(event)).finally(() => this.#waiting--)
  }

  flush(): Promise<void> {
    return this.#tail
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the recorder is closed'))
    await this.#tail
  }

  #make(involvedObject: ObjectReference, type: string, reason: string, message: string): Event {
    const { deps, component, host } = this.#options
    const nowMs = deps.clock.now()
    const namespace = involvedObject.namespace || 'default'
    // Upstream puts nanoseconds here; ours are made unique by counting.
    const stamp = (BigInt(nowMs) * 1_000_000n + BigInt(this.#sequence++ % 1_000_000)).toString(16)
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${involvedObject.name}.${stamp}`, namespace },
      involvedObject,
      reason,
      message: message.length > messageLengthMax ? message.slice(0, messageLengthMax) : message,
      source: { component, ...(host && { host }) },
      firstTimestamp: timestamp(nowMs),
      lastTimestamp: timestamp(nowMs),
      count: 1,
      type,
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
  }

  async #write(event: Event): Promise<void> {
    const correlated = this.#correlator.correlate(event)
    if (correlated.write === 'nothing') return
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      try {
        const stored =
          correlated.write === 'create' ? await this.#create(correlated.event) : await this.#count(correlated.event)
        return this.#correlator.stored(correlated.key, stored)
      } catch (error) {
        // The server's answer is final; only one that could not be reached is asked again.
        if (isAlreadyExists(error)) return
        if (error instanceof ApiError)
          return this.#options.deps.log.debug({ err: error, reason: event.reason }, 'the server refused an event')
      }
      try {
        await this.#options.deps.clock.sleep(retryMs, this.#closed.signal)
      } catch {
        return // closed
      }
    }
  }

  #create(event: Event): Promise<Frozen<Event>> {
    return this.#options.client.create(events, event)
  }

  async #count(event: Event): Promise<Frozen<Event>> {
    const { count, message, lastTimestamp } = event
    const key = { namespace: namespaceOf(event), name: nameOf(event) }
    try {
      return await this.#options.client.patch(events, key, { count, message, lastTimestamp }, { type: 'strategic' })
    } catch (error) {
      // Events expire; this one was counted for longer than that.
      if (isNotFound(error)) return this.#create(event)
      throw error
    }
  }
}

function referenceOf(object: EventSubject): ObjectReference {
  if ('reference' in object) return { ...object.reference }
  return {
    kind: object.kind ?? '',
    apiVersion: object.apiVersion ?? '',
    name: nameOf(object),
    uid: uidOf(object),
    ...(namespaceOf(object) && { namespace: namespaceOf(object) }),
    ...(object.metadata?.resourceVersion && { resourceVersion: object.metadata.resourceVersion }),
  }
}
