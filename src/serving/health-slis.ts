import { Metrics } from '../base/metrics.ts'

/** How health checks went: what `/metrics/slis` tells. */
export class HealthSlis {
  readonly #metrics = new Metrics()
  readonly #state = this.#metrics.gauge(
    'kubernetes_healthcheck',
    '[STABLE] This metric records the result of a single healthcheck.',
  )
  readonly #total = this.#metrics.counter(
    'kubernetes_healthchecks_total',
    '[STABLE] This metric records the results of all healthcheck.',
  )

  /** Notes a check's result. `type` is the endpoint that it was asked at: healthz, livez, readyz. */
  observe(type: string, name: string, healthy: boolean): void {
    this.#state.set(healthy ? 1 : 0, { name, type })
    this.#total.add({ name, status: healthy ? 'success' : 'error', type })
  }

  /** In Prometheus' text format. */
  text(): string {
    return this.#metrics.text()
  }
}
