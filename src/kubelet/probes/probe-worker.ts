import type { Container, Pod, Probe } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ProbesOptions } from './probes.ts'
import type { ProbeKind, ProbeResults } from './probe-results.ts'
import { runProbe, type ProbeFinding } from './run-probe.ts'

/** The container that is probed now. */
export interface Probed {
  readonly containerId: string
  readonly startedAtMs: number
  readonly podIp: string
  /** What the API says of this very container: a kubelet that starts anew begins from there, so that no pod loses its readiness by that. */
  readonly known: { readonly ready: boolean; readonly started: boolean }
}

/** One probe of one container. */
export interface ProbeWorkerOptions extends Omit<ProbesOptions, 'changed' | 'hostIps'> {
  readonly pod: Frozen<Pod>
  readonly container: Frozen<Container>
  readonly kind: ProbeKind
  readonly probe: Frozen<Probe>
  readonly results: ProbeResults
  readonly changed: () => void
}

/** A probe that cannot be run is tried again at once, so often. */
const attemptsMax = 3

const titles: Readonly<Record<ProbeKind, string>> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' }

/** Runs one probe at its period, and sets its result when enough runs in a row agree. */
export class ProbeWorker {
  readonly #options: ProbeWorkerOptions
  #target: Probed | undefined
  #cancel: () => void = () => undefined
  #closed = false
  #running = false
  /** A failed liveness or startup probe waits for the next container. */
  #onHold = false
  #last: 'success' | 'failure' | undefined
  #row = 0

  constructor(options: ProbeWorkerOptions) {
    this.#options = options
  }

  /** Says which container is to be probed; a new one begins from nothing. */
  follow(target: Probed | undefined): void {
    if (this.#closed || target?.containerId === this.#target?.containerId) return
    if (this.#target) this.#options.results.forget(this.#options.kind, this.#target.containerId)
    this.#cancel()
    this.#target = target
    this.#onHold = false
    this.#last = undefined
    this.#row = 0
    if (!target) return
    const { kind, results } = this.#options
    results.set(kind, target.containerId, initial(kind, target))
    this.#schedule(this.#delayMs(target))
  }

  /** Probes now instead of at the end of the period, or as soon as the container is old enough. */
  hurry(): void {
    if (this.#closed || !this.#target || this.#running) return
    this.#cancel()
    this.#schedule(this.#delayMs(this.#target))
  }

  #delayMs({ startedAtMs }: Probed): number {
    const { deps, probe } = this.#options
    return Math.max(0, startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000 - deps.clock.now())
  }

  close(): void {
    this.#closed = true
    this.#cancel()
    if (this.#target) this.#options.results.forget(this.#options.kind, this.#target.containerId)
  }

  #schedule(ms: number): void {
    const { deps, pod, container, kind } = this.#options
    this.#cancel = deps.clock.after(ms, () => {
      this.#running = true
      this.#run()
        .catch((error: unknown) =>
          deps.log.error(
            { err: error, pod: pod.metadata.name, container: container.name, kind },
            'a probe worker failed',
          ),
        )
        .finally(() => (this.#running = false))
    })
  }

  async #run(): Promise<void> {
    const target = this.#target
    if (this.#closed || !target || this.#onHold) return
    const { kind, probe, results } = this.#options
    const startMs = this.#options.deps.clock.now()
    // Startup first: until it succeeded the others rest, and then it rests.
    const started = !this.#options.container.startupProbe || results.startup(target.containerId) === 'success'
    if (started && kind === 'startup') return
    if (started !== (kind === 'startup')) await this.#probe(target)
    if (this.#closed || this.#target !== target || this.#onHold) return
    const periodMs = (probe.periodSeconds ?? 10) * 1000
    this.#schedule(Math.max(0, startMs + periodMs - this.#options.deps.clock.now()))
  }

  async #probe(target: Probed): Promise<void> {
    const { kind, probe, results, changed } = this.#options
    const outcome = await this.#ask(target)
    if (outcome === undefined || this.#closed || this.#target !== target) return
    if (this.#last === outcome) this.#row++
    else [this.#last, this.#row] = [outcome, 1]
    const needed = outcome === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
    if (this.#row < needed) return
    const news = results.set(kind, target.containerId, outcome)
    if (outcome === 'failure' && kind !== 'readiness') this.#onHold = true
    if (news) changed()
  }

  /** Undefined: nothing can be said. */
  async #ask(target: Probed): Promise<'success' | 'failure' | undefined> {
    const { kind, pod, container, probe, runtime, dial, events } = this.#options
    const title = titles[kind]
    const subject = { runtime, dial, pod, container, containerId: target.containerId, podIp: target.podIp }
    let found: ProbeFinding | undefined
    let failure: unknown
    for (let attempt = 0; attempt < attemptsMax && !found; attempt++) {
      try {
        found = await runProbe(probe, subject)
      } catch (error) {
        failure = error
      }
    }
    this.#count(found?.outcome ?? 'unknown')
    if (this.#closed || this.#target !== target) return undefined
    if (!found) {
      events.container(
        subject,
        'Warning',
        'Unhealthy',
        `${title} probe errored and resulted in unknown state: ${(failure as Error).message}`,
      )
      return undefined
    }
    if (found.outcome === 'warning') {
      events.container(subject, 'Warning', 'ProbeWarning', `${title} probe warning: ${found.output}`)
      return 'success'
    }
    if (found.outcome === 'failure')
      events.container(subject, 'Warning', 'Unhealthy', `${title} probe failed: ${found.output}`)
    return found.outcome === 'success' ? 'success' : 'failure'
  }

  #count(outcome: string): void {
    const { deps, kind, pod, container } = this.#options
    const result = { success: 'successful', warning: 'successful', failure: 'failed' }[outcome] ?? 'unknown'
    deps.metrics
      .counter(
        'prober_probe_total',
        'Cumulative number of a liveness, readiness or startup probe for a container by result.',
      )
      .add({
        probe_type: titles[kind],
        result,
        container: container.name,
        pod: pod.metadata.name ?? '',
        namespace: pod.metadata.namespace ?? '',
        pod_uid: pod.metadata.uid ?? '',
      })
  }
}

/** Until the first answer: what lives is alive, and what nobody asked is not ready. */
function initial(kind: ProbeKind, { known }: Probed): 'success' | 'failure' | 'unknown' {
  switch (kind) {
    case 'liveness':
      return 'success'
    case 'readiness':
      return known.ready ? 'success' : 'failure'
    case 'startup':
      return known.started ? 'success' : 'unknown'
  }
}
