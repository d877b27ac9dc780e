import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isTerminalPhase } from '../pod/containers.ts'
import { isAlive } from '../runtime-state/pod-state.ts'
import { ownConditions } from '../status/pod-conditions.ts'
import { same } from '../status/status-patch.ts'
import type { Rejection } from './admission.ts'
import { killPod } from './kill-pod.ts'
import { grant, newResizeMemory, settleResize } from './resize.ts'
import type { PodServices } from './services.ts'
import { podKey } from './start-container.ts'
import { SyncFailure, syncPod, type PodFailure, type WorkerMemory } from './sync-pod.ts'

/** Where a pod is in its life on the node; it only goes forward. */
export type PodLife = 'syncing' | 'terminating' | 'terminated' | 'finished'

/** How a pod shall end. */
export interface Termination {
  /** Instead of what the pod says; a shorter one hurries an end under way. */
  readonly graceSeconds?: number
  readonly failure?: PodFailure
}

/** What a worker tells of its pod. */
export interface WorkerReports {
  /** Writes the pod's status from what is known now. */
  readonly status: (pod: Frozen<Pod>, memory: WorkerMemory, terminal: boolean) => Promise<Frozen<Pod>['status']>
  readonly finished: (pod: Frozen<Pod>) => void
  /** Whether the node has room for the pod as it asks to be. */
  readonly fits: (pod: Frozen<Pod>) => Promise<Rejection | undefined>
}

/** A sync that failed for no particular reason is tried again after this long; a healthy pod is looked at this often anyway. */
const retryMs = 10_000
/** No end may take less: a process needs a moment to see its signal. */
const terminationGraceMinSeconds = 1

/** Whether a change of the object asks for work: most are the echo of the status that we wrote ourselves. */
function matters(before: Frozen<Pod>, after: Frozen<Pod>): boolean {
  const [old, fresh] = [before.metadata, after.metadata]
  const sameSpec = old.generation !== undefined && old.generation === fresh.generation
  if (
    !same(old.labels, fresh.labels) ||
    !same(old.annotations, fresh.annotations) ||
    !(sameSpec || same(before.spec, after.spec))
  )
    return true
  const others = (pod: Frozen<Pod>) => (pod.status?.conditions ?? []).filter(({ type }) => !ownConditions.has(type))
  return !same(others(before), others(after))
}

/** One pod's worker: brings what runs to what the spec says, again after each change, one step at a time, until nothing of the pod is left. */
export class PodWorker {
  readonly #services: PodServices
  readonly #reports: WorkerReports
  readonly #memory: WorkerMemory = {
    waits: new Map(),
    failure: undefined,
    actedAt: 0,
    mountFailures: 0,
    resize: newResizeMemory(),
  }
  #pod: Frozen<Pod>
  #granted: Frozen<Pod> | undefined
  #life: PodLife = 'syncing'
  #dirty = false
  #running = false
  #cancelTimer: () => void = () => undefined
  #sync = new AbortController()
  #graceSeconds: number | undefined
  #hurry = Promise.withResolvers<void>()
  #news = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()

  constructor(services: PodServices, pod: Frozen<Pod>, reports: WorkerReports) {
    this.#services = services
    this.#reports = reports
    this.#pod = pod
  }

  get life(): PodLife {
    return this.#life
  }

  get pod(): Frozen<Pod> {
    return this.#pod
  }

  /** Resolves when none of its containers runs any more, or nobody looks. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** The node itself ends it, and has said why. */
  get failed(): boolean {
    return this.#memory.failure !== undefined
  }

  /** The pod with the resources that the node has granted it: what counts for others. */
  get granted(): Frozen<Pod> {
    return this.#granted ?? this.#pod
  }

  /** The pod's object changed. A deletion ends it. */
  update(pod: Frozen<Pod>): void {
    const before = this.#pod
    this.#pod = pod
    if (pod.metadata.deletionTimestamp || isTerminalPhase(pod.status?.phase)) this.terminate({})
    else if (before === pod || matters(before, pod)) this.wake()
  }

  /** Ends the pod, whatever it does now. */
  terminate(termination: Termination): void {
    if (termination.failure) this.#memory.failure ??= termination.failure
    const asked =
      termination.graceSeconds ??
      this.#pod.metadata.deletionGracePeriodSeconds ??
      this.#pod.spec?.terminationGracePeriodSeconds
    const graceSeconds = asked === undefined ? undefined : Math.max(terminationGraceMinSeconds, asked)
    const shorter =
      graceSeconds !== undefined && (this.#graceSeconds === undefined || graceSeconds < this.#graceSeconds)
    if (shorter) this.#graceSeconds = graceSeconds
    if (this.#life === 'syncing') {
      this.#life = 'terminating'
      this.#sync.abort(new Error('the pod is being terminated'))
    } else if (shorter) {
      this.#hurry.resolve()
    }
    this.wake()
  }

  /** Looks at the pod again, soon. */
  wake(): void {
    this.#dirty = true
    if (this.#running || this.#life === 'finished') return
    this.#running = true
    this.#cancelTimer()
    this.#loop().catch((error: unknown) =>
      this.#services.log.error({ err: error, pod: this.#pod.metadata.name }, 'a pod worker failed'),
    )
  }

  /** A probe found something new: the pod is looked at, or only its status written when it ends already. */
  probed(): void {
    if (this.#life === 'terminating') this.#news.resolve()
    else this.wake()
  }

  /** Stops looking; what runs goes on. */
  close(): void {
    this.#life = 'finished'
    this.#ended.resolve()
    this.#cancelTimer()
    this.#sync.abort(new Error('the kubelet is stopping'))
  }

  #isOver(): boolean {
    return this.#life === 'finished'
  }

  async #loop(): Promise<void> {
    try {
      while (this.#dirty && !this.#isOver()) {
        this.#dirty = false
        const waitMs = await this.#step().catch((error: unknown) => this.#failed(error))
        this.#cancelTimer()
        if (waitMs !== undefined && !this.#isOver())
          this.#cancelTimer = this.#services.clock.after(waitMs, () => this.wake())
      }
    } finally {
      this.#running = false
      if (this.#dirty) this.wake()
    }
  }

  #failed(error: unknown): number {
    if (error instanceof SyncFailure) {
      this.#services.log.debug({ err: error, pod: this.#pod.metadata.name }, 'a pod cannot be brought up yet')
      return error.retryMs
    }
    if (!this.#sync.signal.aborted)
      this.#services.log.warn(
        { err: error, pod: this.#pod.metadata.name, namespace: this.#pod.metadata.namespace },
        'syncing a pod failed; it is tried again',
      )
    return retryMs
  }

  /** Milliseconds until the pod wants to be looked at again; undefined: when something happens. */
  async #step(): Promise<number | undefined> {
    switch (this.#life) {
      case 'syncing': {
        const task = { services: this.#services, pod: await this.#grant(), signal: this.#sync.signal }
        const result = await syncPod(task, this.#memory, (terminal) =>
          this.#reports.status(task.pod, this.#memory, terminal),
        )
        if (result.terminal) this.terminate({})
        return result.waitMs
      }
      case 'terminating':
        return this.#end()
      case 'terminated':
        return this.#cleanUp()
      case 'finished':
        return undefined
    }
  }

  /** The pod with the resources that it may have. */
  async #grant(): Promise<Frozen<Pod>> {
    const services = this.#services
    const pod = this.#pod
    const state = await services.state.pod(podKey(pod), this.#memory.actedAt)
    const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      services.events.pod(pod, type, reason, message)
    this.#granted = await grant(pod, this.#memory.resize, {
      state,
      allocatable: services.node().allocatable,
      fits: this.#reports.fits,
      nowMs: services.clock.now(),
      event,
    })
    settleResize(this.#granted, state, this.#memory.resize, event)
    return this.#granted
  }

  async #end(): Promise<number | undefined> {
    const services = this.#services
    const pod = this.#pod
    await this.#reports.status(pod, this.#memory, false)
    const state = await services.state.pod(podKey(pod), services.state.mark())
    this.#hurry = Promise.withResolvers()
    const graceSeconds = this.#graceSeconds
    const kill = killPod({ services, pod, signal: undefined }, { state, graceSeconds })
    const ended = kill.then(() => 'ended' as const)
    const hurried = this.#hurry.promise.then(() => 'hurried' as const)
    let outcome: 'ended' | 'hurried' | 'news' = 'news'
    while (outcome === 'news') {
      this.#news = Promise.withResolvers()
      outcome = await Promise.race([ended, hurried, this.#news.promise.then(() => 'news' as const)])
      // Whoever sends it requests wants to know whether it still takes them.
      if (outcome === 'news')
        await this.#reports
          .status(pod, this.#memory, false)
          .catch((error: unknown) =>
            services.log.debug({ err: error }, 'the status of a pod that ends could not be written'),
          )
    }
    if (outcome === 'hurried') {
      kill.catch((error: unknown) => services.log.debug({ err: error }, 'an end that was overtaken failed'))
      this.#dirty = true
      return undefined
    }
    const after = await services.state.pod(podKey(pod), services.state.mark())
    if (isAlive(after)) throw new Error('containers are still running after the pod was stopped')
    await this.#reports.status(pod, this.#memory, true)
    this.#life = 'terminated'
    this.#ended.resolve()
    this.#dirty = true
    return undefined
  }

  async #cleanUp(): Promise<number | undefined> {
    const services = this.#services
    const uid = this.#pod.metadata.uid ?? ''
    await this.#reports.status(this.#pod, this.#memory, true)
    await services.volumes.unmount(uid)
    await services.host.cgroups.removePod(uid)
    services.restarts.forget(`${uid}_`)
    services.images.forgetPod(uid)
    this.#life = 'finished'
    this.#reports.finished(this.#pod)
    return undefined
  }
}
