import { ApiError, isNotFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { keyOf, keyText } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { Deps } from '../../base/deps.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Random } from '../../base/random.ts'
import type { Client, DeleteOptions } from '../../client/client.ts'
import { referenceTo, type EventRecorder, type EventSubject } from '../../client/events/recorder.ts'
import type { Informer, Informers } from '../../client/informer/informers.ts'
import { nameOf, uidOf, versionNumber } from '../../client/object.ts'
import type { WorkQueue } from '../../client/queue/work-queue.ts'
import type { ControllerOptions } from '../options.ts'
import { claim } from './claim.ts'
import type { StartContext } from './descriptor.ts'
import { same } from './equality.ts'
import { Expectations } from './expectations.ts'
import { slowStart } from './slow-start.ts'

/** What a reconcile works with. `O` is what the controller reconciles: the owners; `M` is its memory. */
export interface Context<O extends KubernetesObject, M = unknown> extends Deps {
  readonly client: Client
  readonly informers: Informers
  readonly options: ControllerOptions
  readonly recorder: EventRecorder
  /** What the controller made with `memory` when it started; all its workers share it. */
  readonly memory: M
  /** A resource's cache; the definition names the resource in `watches` or `reads`. */
  of<T extends KubernetesObject>(resource: Resource<T>): Informer<T>
  /** Tells of `object`, which the controller reconciles. */
  event(object: Frozen<O>, type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Whether the caches show what was done for the owner earlier. Ask before reading them: else what is on its way is made twice. */
  caughtUp(owner: Frozen<O>): boolean
  /** Says that the cache must show this object before the owner is caught up. */
  wrote<T extends KubernetesObject>(owner: Frozen<O>, resource: Resource<T>, object: Frozen<T>): void
  /** Deletes something of the owner's; gone already is fine. Its cache must show it before the owner is caught up. */
  remove<T extends KubernetesObject>(
    owner: Frozen<O>,
    resource: Resource<T>,
    object: Frozen<T>,
    options?: DeleteOptions,
  ): Promise<void>
  /** The objects of the owner's namespace that it manages after adopting and releasing. */
  claim<D extends KubernetesObject>(
    owner: Frozen<O>,
    resource: Resource<D>,
    matches: (object: Frozen<D>) => boolean,
    how?: ClaimHow<D>,
  ): Promise<Frozen<D>[]>
  /** Creates pods with a slow start, with events; throws the first failure. */
  createPods(owner: Frozen<O>, podsToCreate: readonly Frozen<Pod>[]): Promise<void>
  /** Deletes pods, all at once, with events; throws the first failure. */
  deletePods(owner: Frozen<O>, podsToDelete: readonly Frozen<Pod>[]): Promise<void>
  /** Writes the status if it differs from the object's; gives the object as it is then. `changed`: its metadata is written too, and differs. */
  writeStatus(object: Frozen<O>, status: unknown, changed?: boolean): Promise<Frozen<O>>
  /** Notes a write of a reconciled object itself: it is not looked at again before the cache shows it. */
  wroteSelf(object: Frozen<O>): void
  enqueue(key: string): void
}

/** What differs from claiming all that match. */
export interface ClaimHow<D extends KubernetesObject> {
  /** Where not all are to be asked. */
  readonly candidates?: readonly Frozen<D>[]
  /** Put on what is adopted. */
  readonly finalizer?: string
}

/** What a controller does not share with others. */
interface Own<O extends KubernetesObject, M> {
  readonly resource: Resource<O>
  readonly recorder: EventRecorder
  readonly queue: WorkQueue
  readonly memory: M
}

/** The context of one controller, shared by its workers. */
export class ReconcileContext<O extends KubernetesObject, M> implements Context<O, M> {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  readonly client: Client
  readonly informers: Informers
  readonly options: ControllerOptions
  readonly recorder: EventRecorder
  readonly memory: M
  readonly expectations: Expectations
  readonly #resource: Resource<O>
  readonly #queue: WorkQueue
  /** By key: the version of the object that this controller wrote last. */
  readonly #written = new Map<string, bigint>()

  constructor(start: StartContext, { resource, recorder, queue, memory }: Own<O, M>) {
    this.clock = start.clock
    this.random = start.random
    this.log = start.log
    this.metrics = start.metrics
    this.client = start.client
    this.informers = start.informers
    this.options = start.options
    this.recorder = recorder
    this.memory = memory
    this.expectations = new Expectations(() => start.clock.now())
    this.#resource = resource
    this.#queue = queue
  }

  of<T extends KubernetesObject>(resource: Resource<T>): Informer<T> {
    return this.informers.of(resource)
  }

  event(object: Frozen<O>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.recorder.event(this.#subject(object), type, reason, message)
  }

  caughtUp(owner: Frozen<O>): boolean {
    return this.expectations.caughtUp(uidOf(owner))
  }

  wrote<T extends KubernetesObject>(owner: Frozen<O>, resource: Resource<T>, object: Frozen<T>): void {
    this.expectations.wrote(uidOf(owner), this.of(resource) as unknown as Informer, object)
  }

  async remove<T extends KubernetesObject>(
    owner: Frozen<O>,
    resource: Resource<T>,
    object: Frozen<T>,
    options?: DeleteOptions,
  ): Promise<void> {
    this.expectations.deletes(uidOf(owner), this.of(resource) as unknown as Informer, object, keyOf(object))
    try {
      await this.client.delete(resource, keyOf(object), { ...options, uid: uidOf(object) })
    } catch (error) {
      if (isNotFound(error)) return
      this.expectations.keeps(uidOf(owner), object)
      throw error
    }
  }

  claim<D extends KubernetesObject>(
    owner: Frozen<O>,
    resource: Resource<D>,
    matches: (object: Frozen<D>) => boolean,
    { candidates = this.of(resource).list(owner.metadata?.namespace), finalizer }: ClaimHow<D> = {},
  ): Promise<Frozen<D>[]> {
    const ownerResource = this.#resource
    return claim({ client: this.client, ownerResource, owner, resource, candidates, matches, finalizer })
  }

  async createPods(owner: Frozen<O>, podsToCreate: readonly Frozen<Pod>[]): Promise<void> {
    const { failure } = await slowStart(podsToCreate.length, async (index) => {
      const pod = podsToCreate[index]
      if (pod) await this.#createPod(owner, pod)
    })
    if (failure !== undefined) throw failure
  }

  async deletePods(owner: Frozen<O>, podsToDelete: readonly Frozen<Pod>[]): Promise<void> {
    const results = await Promise.allSettled(podsToDelete.map((pod) => this.#deletePod(owner, pod)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  async writeStatus(object: Frozen<O>, status: unknown, changed = false): Promise<Frozen<O>> {
    if (!changed && same((object as { status?: unknown }).status, status)) return object
    const written = await this.client.updateStatus(this.#resource, { ...object, status } as Frozen<O>)
    this.wroteSelf(written)
    return written
  }

  wroteSelf(object: Frozen<O>): void {
    this.#written.set(keyText(keyOf(object)), versionNumber(object.metadata?.resourceVersion))
  }

  enqueue(key: string): void {
    this.#queue.add(key)
  }

  /** The cache does not show what this controller wrote to the object. */
  isStale(key: string): boolean {
    const version = this.#written.get(key)
    if (version === undefined) return false
    if (this.of(this.#resource).version < version) return true
    this.#written.delete(key)
    return false
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#written.delete(key)
  }

  async #createPod(owner: Frozen<O>, pod: Frozen<Pod>): Promise<void> {
    try {
      const created = await this.client.create(pods, pod)
      this.wrote(owner, pods, created)
      this.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${nameOf(created)}`)
    } catch (error) {
      if (!isNamespaceTerminating(error))
        this.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      throw error
    }
  }

  async #deletePod(owner: Frozen<O>, pod: Frozen<Pod>): Promise<void> {
    try {
      await this.remove(owner, pods, pod)
      this.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${nameOf(pod)}`)
    } catch (error) {
      this.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
      throw error
    }
  }

  #subject(object: Frozen<O>): EventSubject {
    return referenceTo(this.#resource, object)
  }
}

/** The text of a failure, for conditions and events. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The namespace is going: creating in it can only fail, and need not be told. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
