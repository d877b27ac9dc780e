import type { ProbeOutcome, ProbeOutcomes } from '../pod-worker/plan.ts'

/** The three kinds of probes. */
export type ProbeKind = 'liveness' | 'readiness' | 'startup'

/** What probes last found, by container id. A probe writes; pod workers and statuses read. */
export class ProbeResults implements ProbeOutcomes {
  readonly #results = new Map<string, ProbeOutcome>()

  liveness(containerId: string): ProbeOutcome | undefined {
    return this.#results.get(`liveness/${containerId}`)
  }

  readiness(containerId: string): ProbeOutcome | undefined {
    return this.#results.get(`readiness/${containerId}`)
  }

  startup(containerId: string): ProbeOutcome | undefined {
    return this.#results.get(`startup/${containerId}`)
  }

  /** True when that is news. */
  set(kind: ProbeKind, containerId: string, outcome: ProbeOutcome): boolean {
    const key = `${kind}/${containerId}`
    if (this.#results.get(key) === outcome) return false
    this.#results.set(key, outcome)
    return true
  }

  /** The container is gone. */
  forget(kind: ProbeKind, containerId: string): void {
    this.#results.delete(`${kind}/${containerId}`)
  }
}
