import type { Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import { isCritical, isMirrorPod, isTerminalPhase } from '../pod/containers.ts'
import type { Probes } from '../probes/probes.ts'
import type { PodState } from '../runtime-state/pod-state.ts'
import { podStatus, withPhaseHeld } from '../status/pod-status.ts'
import type { StatusWriter } from '../status/status-writer.ts'
import type { Rejection } from './admission.ts'
import { podsToPreempt, shortfallText } from './preempt.ts'
import { PodWorker, type Termination } from './pod-worker.ts'
import type { PodServices } from './services.ts'
import { podKey } from './start-container.ts'
import type { PodFailure, WorkerMemory } from './sync-pod.ts'

/** What the pods of a node work with, beside what each worker does. */
export interface PodsOptions {
  readonly services: PodServices
  readonly probes: Probes
  readonly statuses: StatusWriter
  readonly runtimeName: string
  /** Whether the node takes a pod that is new here. */
  readonly admit: (pod: Frozen<Pod>, active: readonly Frozen<Pod>[]) => Promise<Rejection | undefined>
  /** A pod came or went: limits of classes, references to objects. */
  readonly came: (pod: Frozen<Pod>) => void
  readonly gone: (uid: string) => void
}

/** Every pod that the node has to do with, each with its worker. */
export class Pods {
  readonly #options: PodsOptions
  readonly #workers = new Map<string, PodWorker>()
  /** Pods that were refused: they never had a worker. */
  readonly #rejected = new Set<string>()
  /** Pods that wait for their admission, as they were last told of. */
  readonly #arriving = new Map<string, Frozen<Pod>>()
  /** Pods with a worker and no object: it was removed, or never known here. */
  readonly #withoutObject = new Set<string>()
  /** Admission is one after the other: each pod counts for the next. */
  #admissions: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: PodsOptions) {
    this.#options = options
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  all(): PodWorker[] {
    return [...this.#workers.values()]
  }

  /** Every pod that the API or a file tells of, not those of which only the runtime does. */
  known(): Frozen<Pod>[] {
    return this.all()
      .map(({ pod }) => pod)
      .filter((pod) => !isOrphan(pod))
  }

  /** Pods whose containers run or will. */
  active(): Frozen<Pod>[] {
    return this.all()
      .filter(({ life, pod }) => (life === 'syncing' || life === 'terminating') && !isTerminalPhase(pod.status?.phase))
      .map(({ granted }) => granted)
  }

  /** Active ones that the node does not end already. */
  evictable(): Frozen<Pod>[] {
    return this.active().filter(({ metadata }) => !this.#workers.get(metadata.uid ?? '')?.failed)
  }

  /** A pod is new, or changed. Mirror pods have no worker: their static pod does. */
  changed(pod: Frozen<Pod>): void {
    if (isMirrorPod(pod) || this.#closed) return
    const uid = pod.metadata.uid ?? ''
    const worker = this.#workers.get(uid)
    if (worker) {
      this.#options.came(pod)
      worker.update(pod)
      if (worker.life === 'finished' && pod.metadata.deletionTimestamp) this.#options.statuses.finish(pod)
      return
    }
    if (this.#rejected.has(uid)) {
      if (pod.metadata.deletionTimestamp) this.#options.statuses.finish(pod)
      return
    }
    this.#arriving.set(uid, pod)
    this.#admissions = this.#admissions
      .then(() => this.#begin(uid))
      .catch((error: unknown) =>
        this.#options.services.log.error({ err: error, pod: pod.metadata.name }, 'a pod could not be taken on'),
      )
  }

  /** The pod's object is gone: what runs of it ends. */
  removed(pod: Frozen<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    this.#options.statuses.forget(uid)
    this.#rejected.delete(uid)
    this.#arriving.delete(uid)
    const worker = this.#workers.get(uid)
    if (!worker) return
    this.#withoutObject.add(uid)
    if (worker.life === 'finished') this.#forget(uid)
    // An object that was to be deleted and is gone before its kubelet said so was forced away: that leaves no time.
    else
      worker.terminate(
        worker.pod.metadata.deletionTimestamp || pod.metadata.deletionTimestamp ? { graceSeconds: 0 } : {},
      )
  }

  /** Ends what runs of a pod that nobody knows: it was deleted while no kubelet was there. */
  endOrphan(state: PodState): void {
    if (this.#workers.has(state.uid) || this.#closed) return
    const pod = orphan(state)
    this.#withoutObject.add(state.uid)
    const worker = this.#start(pod)
    worker.terminate({})
  }

  terminate(uid: string, termination: Termination): void {
    this.#workers.get(uid)?.terminate(termination)
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake()
  }

  /** A probe of the pod found something new. */
  probed(uid: string): void {
    this.#workers.get(uid)?.probed()
  }

  /** Resolves when every pod that was told of so far has been taken on or refused. */
  settled(): Promise<void> {
    return this.#admissions
  }

  close(): void {
    this.#closed = true
    for (const worker of this.#workers.values()) worker.close()
  }

  async #begin(uid: string): Promise<void> {
    const asked = this.#arriving.get(uid)
    if (!asked || this.#closed) return
    const { services } = this.#options
    const isNew =
      !this.#workers.has(uid) &&
      !asked.metadata.deletionTimestamp &&
      !isTerminalPhase(asked.status?.phase) &&
      !services.state.known(uid)?.containers.length
    const rejection = isNew ? await this.#admit(asked) : undefined
    // It may have changed while it was looked at, or gone.
    const pod = this.#arriving.get(uid)
    this.#arriving.delete(uid)
    if (!pod || this.#closed) return
    if (rejection) return this.#reject(pod, rejection)
    this.#options.came(pod)
    const worker = this.#workers.get(uid) ?? this.#start(pod)
    worker.update(pod)
  }

  #reject(pod: Frozen<Pod>, { reason, message }: Rejection): void {
    const { services, statuses } = this.#options
    this.#rejected.add(pod.metadata.uid ?? '')
    services.events.pod(pod, 'Warning', reason, message)
    statuses.set(pod, {
      ...(pod.status as PodStatus),
      qosClass: pod.status?.qosClass ?? '',
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: timestamp(services.clock.now()),
    })
    if (pod.metadata.deletionTimestamp) statuses.finish(pod)
  }

  /** Whether the node takes it; a critical one may drive others away. */
  async #admit(pod: Frozen<Pod>): Promise<Rejection | undefined> {
    const active = this.active()
    const rejection = await this.#options.admit(pod, active)
    if (!rejection?.missing || !isCritical(pod)) return rejection
    const { victims, lacking } = podsToPreempt(pod, active, rejection.missing)
    if (lacking)
      return {
        reason: 'UnexpectedAdmissionError',
        message: `Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: ${shortfallText(lacking)}`,
      }
    await Promise.all(victims.map((victim) => this.#preempt(victim)))
    const [resource = ''] = rejection.missing.keys()
    this.#options.services.metrics
      .counter('kubelet_preemptions', 'Cumulative number of pod preemptions by preemption resource')
      .add({ preemption_signal: resource }, victims.length)
    return undefined
  }

  /** Ends a pod, and waits for that; one that does not end does not hold up the critical one for ever. */
  async #preempt(victim: Frozen<Pod>): Promise<void> {
    const { events, clock } = this.#options.services
    const worker = this.#workers.get(victim.metadata.uid ?? '')
    if (!worker) return
    events.pod(victim, 'Warning', preempted.reason, preempted.message)
    worker.terminate({ failure: preempted })
    const patienceMs = Math.max(preemptionLeastMs, (victim.spec?.terminationGracePeriodSeconds ?? 0) * 1500)
    const limit = new AbortController()
    await Promise.race([worker.ended, clock.sleep(patienceMs, limit.signal).catch(() => undefined)]) // Aborted when it has ended.
    limit.abort()
  }

  #start(pod: Frozen<Pod>): PodWorker {
    const uid = pod.metadata.uid ?? ''
    const worker = new PodWorker(this.#options.services, pod, {
      status: (current, memory, terminal) => this.#report(current, memory, terminal),
      finished: (last) => this.#finished(last),
      fits: (wanted) =>
        this.#options.admit(
          wanted,
          this.active().filter((other) => other.metadata.uid !== uid),
        ),
    })
    this.#workers.set(uid, worker)
    return worker
  }

  async #report(pod: Frozen<Pod>, memory: WorkerMemory, terminal: boolean): Promise<Frozen<PodStatus>> {
    const { services, probes, statuses, runtimeName } = this.#options
    const uid = pod.metadata.uid ?? ''
    const state = await services.state.pod(podKey(pod), memory.actedAt)
    const worker = this.#workers.get(uid)
    if (terminal) probes.remove(uid)
    else {
      probes.update(pod, state)
      if (worker?.life === 'terminating') probes.stopLivenessAndStartup(uid)
    }
    const status = podStatus(pod, {
      state,
      previous: statuses.get(uid) ?? pod.status ?? {},
      waits: memory.waits,
      probes: services.probes,
      runtimeName,
      hostIps: services.node().hostIps,
      terminal,
      failed: memory.failure,
      given: (containerId) => memory.resize.given.get(containerId),
      resize: terminal ? [] : [memory.resize.pending, memory.resize.inProgress].filter((one) => one !== undefined),
      nowText: timestamp(services.clock.now()),
    })
    if (!this.#withoutObject.has(uid))
      statuses.set(pod, withPhaseHeld(status, { before: statuses.get(uid) ?? pod.status ?? {}, state }))
    return status
  }

  #finished(pod: Frozen<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    this.#options.probes.remove(uid)
    // Of an object that is gone nobody will tell again.
    if (this.#withoutObject.has(uid)) this.#forget(uid)
    else this.#options.statuses.finish(pod)
  }

  #forget(uid: string): void {
    this.#withoutObject.delete(uid)
    this.#workers.get(uid)?.close()
    this.#workers.delete(uid)
    this.#options.probes.remove(uid)
    this.#options.gone(uid)
  }
}

/** A pod that makes room gets half as much again as its grace to be gone, and no less than this. */
const preemptionLeastMs = 10_000

/** What is said of pods that make room for a critical one. */
const preempted: PodFailure = {
  reason: 'Preempting',
  message: 'Preempted in order to admit critical pod',
  disruption: 'TerminationByKubelet',
  disruptionMessage: 'Pod was preempted by Kubelet to accommodate a critical pod.',
}

/** Marks a pod of which only the runtime tells. */
const orphanAnnotation = 'kubernode.dev/orphan'

const isOrphan = (pod: Frozen<Pod>) => pod.metadata.annotations?.[orphanAnnotation] !== undefined

function orphan(state: PodState): Frozen<Pod> {
  const newest = new Map([...state.containers].reverse().map((container) => [container.name, container]))
  const containers = [...newest.values()].map(({ name, restored: { preStop, ports } }) => ({
    name,
    ports,
    ...(preStop && { lifecycle: { preStop } }),
  }))
  const graces = [...newest.values()].map(({ restored }) => restored.graceSeconds ?? orphanGraceSeconds)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: state.name, namespace: state.namespace, uid: state.uid, annotations: { [orphanAnnotation]: '' } },
    spec: { containers, terminationGracePeriodSeconds: graces.length > 0 ? Math.max(...graces) : orphanGraceSeconds },
  }
}

/** What a pod gets whose spec is gone: the API's default. */
const orphanGraceSeconds = 30
