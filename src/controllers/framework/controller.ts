import { ApiError, isConflict, isNotFound } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { keyOf, keyText } from '../../api/resource.ts'
import { uidOf } from '../../client/object.ts'
import type { Informer } from '../../client/informer/informers.ts'
import { WorkQueue } from '../../client/queue/work-queue.ts'
import { ReconcileContext, type Context } from './context.ts'
import type { ControllerDescriptor, Running, StartContext } from './descriptor.ts'
import type { Watch } from './watch.ts'

export type { Context } from './context.ts'
export { ownedBy, watch } from './watch.ts'

/** What comes of a reconcile: nothing more to do, or a look again later whatever happens. A failure is thrown, and tried again with back-off. */
export type Outcome = { readonly requeueAfterMs: number } | undefined

/** All is as it should be, as far as can be seen now. */
export const done: Outcome = undefined

/** Look again after `ms`; undefined is `done`. */
export const requeueAfter = (ms: number | undefined): Outcome => (ms === undefined ? undefined : { requeueAfterMs: ms })

/** A controller: what it reconciles, what else wakes it, and how. `M` is what it remembers between calls. */
export interface ControllerDefinition<O extends KubernetesObject, M> {
  /** Upstream's name. */
  readonly name: string
  /** The component of its events, where upstream's differs from the name. */
  readonly component?: string
  readonly reconciles: Resource<O>
  /** Which changes of the object itself matter; absent: all. */
  readonly matters?: (object: Frozen<O>, old: Frozen<O>) => boolean
  readonly watches?: readonly Watch[]
  /** What else `reconcile` reads from caches. */
  readonly reads?: readonly Resource[]
  /** The reasons of its events. */
  readonly events?: readonly string[]
  /** How many objects are worked on at the same time. */
  readonly parallel: number
  /** Makes what the controller remembers (`context.memory`): gone when it stops, so nothing that must survive. */
  readonly memory?: (start: StartContext) => M
  /** Declares indexes, adds handlers that `watches` cannot express. */
  readonly setup?: (context: Context<O, M>) => void
  /** Never at the same time for one object. Level-triggered: the object is the newest that is known, whatever happened before. */
  readonly reconcile: (object: Frozen<O>, context: Context<O, M>) => Promise<Outcome>
  /** The object is gone. */
  readonly gone?: (key: string, context: Context<O, M>) => Promise<void> | void
  readonly offByDefault?: boolean
}

/** When the cache has not caught up with what was written and no event said so. */
const catchUpMs = 1000

/** Makes a controller of its definition. */
export function defineController<O extends KubernetesObject, M = undefined>(
  definition: ControllerDefinition<O, M>,
): ControllerDescriptor {
  return {
    name: definition.name,
    ...(definition.offByDefault && { offByDefault: true }),
    start: (context) => new RunningController(definition, context),
  }
}

class RunningController<O extends KubernetesObject, M> implements Running {
  readonly ready: Promise<void>
  readonly #definition: ControllerDefinition<O, M>
  readonly #queue: WorkQueue
  readonly #objects: Informer<O>
  readonly #context: ReconcileContext<O, M>
  /** Keys that wait for the cache to show what was written: the next change matters, whatever it is. */
  readonly #behind = new Set<string>()
  #closed = false

  constructor(definition: ControllerDefinition<O, M>, start: StartContext) {
    const log = start.log.child({ controller: definition.name })
    this.#definition = definition
    this.#queue = new WorkQueue({ deps: { ...start, log }, name: definition.name })
    this.#objects = start.informers.of(definition.reconciles)
    this.#context = new ReconcileContext(
      { ...start, log },
      {
        resource: definition.reconciles,
        recorder: start.recorder(definition.component ?? definition.name),
        queue: this.#queue,
        // Without `memory` nobody names an M, and undefined is what there is.
        memory: definition.memory?.(start) as M,
      },
    )
    this.ready = this.#run(start)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#queue.close()
  }

  async #run({ informers }: StartContext): Promise<void> {
    const { watches = [], reads = [], reconciles, setup, parallel } = this.#definition
    const needed = [reconciles, ...reads, ...watches.map(({ resource }) => resource)].map((resource) =>
      informers.of(resource),
    )
    setup?.(this.#context)
    const enqueue = (object: Frozen<O>) => this.#queue.add(keyText(keyOf(object)))
    const { matters } = this.#definition
    const updated = (object: Frozen<O>, old: Frozen<O>) =>
      void (!matters || this.#behind.delete(keyText(keyOf(object))) || matters(object, old)
        ? enqueue(object)
        : undefined)
    const deleted = (object: Frozen<O>) => {
      this.#context.expectations.forget(uidOf(object))
      enqueue(object)
    }
    this.#objects.on({ added: enqueue, updated, deleted })
    const context = { informers, enqueue: (key: string) => this.#queue.add(key) }
    for (const watch of watches) watch.start(context)
    await Promise.all(needed.map(({ synced }) => synced))
    if (!this.#closed) this.#queue.run(parallel, (key) => this.#work(key))
  }

  async #work(key: string): Promise<void> {
    const object = this.#objects.byKey(key)
    try {
      if (!object) {
        this.#context.forget(key)
        this.#behind.delete(key)
        await this.#definition.gone?.(key, this.#context)
        return this.#queue.forget(key)
      }
      // Its own write is not seen yet: what would be decided from the old state would only conflict.
      if (this.#context.isStale(key)) {
        this.#behind.add(key)
        return this.#queue.addAfter(key, catchUpMs)
      }
      this.#behind.delete(key)
      const outcome = await this.#definition.reconcile(object, this.#context)
      this.#queue.forget(key)
      if (outcome) this.#queue.addAfter(key, outcome.requeueAfterMs)
      if (!this.#context.expectations.caughtUp(uidOf(object))) this.#queue.addAfter(key, catchUpMs)
    } catch (error) {
      this.#failed(key, error)
    } finally {
      // Gone meanwhile: what this round has written for it, nobody waits for.
      if (object && !this.#isThere(key, object)) this.#context.expectations.forget(uidOf(object))
    }
  }

  #isThere(key: string, object: Frozen<O>): boolean {
    const now = this.#objects.byKey(key)
    return now !== undefined && uidOf(now) === uidOf(object)
  }

  #failed(key: string, error: unknown): void {
    const { log } = this.#context
    // Somebody else was faster: usual, and repaired by looking again.
    if (isConflict(error) || isNotFound(error)) log.debug({ err: error, key }, 'overtaken; it is tried again')
    else if (error instanceof ApiError)
      log.info({ key, reason: error.reason, error: error.message }, 'reconcile failed; it is tried again')
    else log.warn({ err: error, key }, 'reconcile failed; it is tried again')
    this.#queue.addRateLimited(key)
  }
}
