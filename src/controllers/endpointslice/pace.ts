/** How long a look at one pod takes, about: what a large Service may cost in a second follows from it. */
const paceMsPerPod = 0.05
/** Services with fewer pods are always looked at at once. */
const pacedFrom = 100

/** Keeps a large Service, whose pods all change at once, from being looked at for each of them. */
export class Pace {
  /** By Service: the earliest time of the next look. */
  readonly #nextMs = new Map<string, number>()

  /** How long to wait before the Service is looked at; 0: now. */
  waitMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#nextMs.get(key) ?? 0) - nowMs)
  }

  /** The Service was looked at, and had so many pods. */
  looked(key: string, pods: number, nowMs: number): void {
    if (pods < pacedFrom) this.#nextMs.delete(key)
    else this.#nextMs.set(key, nowMs + pods * paceMsPerPod)
  }

  forget(key: string): void {
    this.#nextMs.delete(key)
  }
}
