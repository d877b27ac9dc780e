import type { Container, Pod, Probe } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { Dial } from '../host/host.ts'
import { isRestartable } from '../pod/containers.ts'
import type { PodEvents } from '../pod-worker/services.ts'
import { containerOf, ipsOf, type PodState } from '../runtime-state/pod-state.ts'
import type { ProbeKind, ProbeResults } from './probe-results.ts'
import { ProbeWorker } from './probe-worker.ts'

/** What probing needs. */
export interface ProbesOptions {
  readonly deps: Deps
  readonly runtime: ContainerRuntime
  readonly dial: Dial
  readonly events: PodEvents
  readonly results: ProbeResults
  readonly hostIps: () => readonly string[]
  /** A result changed: the pod's worker has to look. */
  readonly changed: (uid: string) => void
}

const kinds: readonly (readonly [ProbeKind, (container: Frozen<Container>) => Frozen<Probe> | undefined])[] = [
  ['startup', (container) => container.startupProbe],
  ['readiness', (container) => container.readinessProbe],
  ['liveness', (container) => container.livenessProbe],
]

/** The probes of all pods on the node: a worker for each container and kind, while its container runs. */
export class Probes {
  readonly #options: ProbesOptions
  /** By pod, then `container/kind`. */
  readonly #workers = new Map<string, Map<string, ProbeWorker>>()

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  /** Brings the pod's probes to its containers: starts what is new, moves to new containers, ends what is gone. */
  update(pod: Frozen<Pod>, state: PodState): void {
    const uid = pod.metadata.uid ?? ''
    const probed = [...(pod.spec?.initContainers ?? []).filter(isRestartable), ...(pod.spec?.containers ?? [])]
    for (const container of probed) {
      for (const [kind, probeOf] of kinds) {
        const probe = probeOf(container)
        if (probe) this.#updateOne({ pod, container, kind, probe }, uid, state)
      }
    }
  }

  #updateOne(
    subject: {
      readonly pod: Frozen<Pod>
      readonly container: Frozen<Container>
      readonly kind: ProbeKind
      readonly probe: Frozen<Probe>
    },
    uid: string,
    state: PodState,
  ): void {
    const workers = this.#workers.get(uid) ?? new Map<string, ProbeWorker>()
    this.#workers.set(uid, workers)
    const key = `${subject.container.name}/${subject.kind}`
    let worker = workers.get(key)
    if (!worker) {
      const changed = () => {
        // Readiness rested until now: its next turn may be a long period away.
        if (subject.kind === 'startup') workers.get(`${subject.container.name}/readiness`)?.hurry()
        this.#options.changed(uid)
      }
      worker = new ProbeWorker({ ...this.#options, ...subject, changed })
      workers.set(key, worker)
    }
    const running = containerOf(state, subject.container.name)
    const podIp = ipsOf(state)[0] ?? this.#options.hostIps()[0] ?? ''
    if (running?.phase !== 'running') return worker.follow(undefined)
    const told = [
      ...(subject.pod.status?.containerStatuses ?? []),
      ...(subject.pod.status?.initContainerStatuses ?? []),
    ].find(({ containerID }) => containerID?.endsWith(`://${running.id}`))
    worker.follow({
      containerId: running.id,
      startedAtMs: running.startedAtMs,
      podIp,
      known: { ready: told?.ready ?? false, started: told?.started ?? false },
    })
  }

  /** The pod ends: nothing may fail its liveness any more. Readiness goes on until the containers are gone, so that endpoints follow. */
  stopLivenessAndStartup(uid: string): void {
    for (const [key, worker] of this.#workers.get(uid) ?? []) if (!key.endsWith('/readiness')) worker.close()
  }

  /** The pod is gone. */
  remove(uid: string): void {
    for (const worker of this.#workers.get(uid)?.values() ?? []) worker.close()
    this.#workers.delete(uid)
  }

  close(): void {
    for (const uid of [...this.#workers.keys()]) this.remove(uid)
  }
}
