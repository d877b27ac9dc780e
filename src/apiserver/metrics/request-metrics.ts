import type { Metrics } from '../../base/metrics.ts'
import type { RequestInfo } from '../request/request-info.ts'

/** Upstream's buckets of request durations, in seconds. */
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]

/** Counts and times of one sort of request, written into the metrics only when somebody reads them. */
interface Sort {
  readonly info: RequestInfo
  readonly byCode: Map<number, number>
  readonly buckets: Float64Array
  seconds: number
}

/** The metrics of requests, under upstream's names. */
export class RequestMetrics {
  readonly #sorts = new Map<string, Sort>()
  /** Requests that last and are open, by their labels. */
  readonly #lasting = new Map<string, number>()

  constructor(metrics: Metrics) {
    metrics.family(
      'apiserver_longrunning_requests',
      'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
      'gauge',
      (out) => {
        for (const [labels, count] of this.#lasting) out.push(`apiserver_longrunning_requests{${labels}} ${count}`)
      },
    )
    metrics.family(
      'apiserver_request_total',
      'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
      'counter',
      (out) => this.#writeTotals(out),
    )
    metrics.family(
      'apiserver_request_duration_seconds',
      'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      'histogram',
      (out) => this.#writeDurations(out),
    )
  }

  /** A request that lasts has begun; what is returned is called at its end. */
  lasting(info: RequestInfo): () => void {
    const labels = labelsOf(info, '')
    const add = (by: number): void => {
      this.#lasting.set(labels, (this.#lasting.get(labels) ?? 0) + by)
      if (this.#lasting.get(labels) === 0) this.#lasting.delete(labels)
    }
    add(1)
    return () => add(-1)
  }

  /** One request is answered. */
  done(info: RequestInfo, code: number, durationMs: number): void {
    const key = info.isResource
      ? `${info.verb}/${info.group}/${info.version}/${info.resource}/${info.subresource}/${scopeOf(info)}`
      : info.verb
    let sort = this.#sorts.get(key)
    if (!sort) {
      // Paths that nothing serves must not grow the metrics without bounds.
      if (this.#sorts.size >= sortsMax) return
      this.#sorts.set(
        key,
        (sort = { info, byCode: new Map(), buckets: new Float64Array(durationBuckets.length + 1), seconds: 0 }),
      )
    }
    sort.byCode.set(code, (sort.byCode.get(code) ?? 0) + 1)
    const seconds = durationMs / 1000
    let bucket = 0
    while (bucket < durationBuckets.length && seconds > durationBuckets[bucket]!) bucket++
    sort.buckets[bucket]!++
    sort.seconds += seconds
  }

  #writeTotals(out: string[]): void {
    for (const { info, byCode } of this.#sorts.values()) {
      const labels = labelsOf(info)
      for (const [code, count] of byCode) out.push(`apiserver_request_total{code="${code}",${labels}} ${count}`)
    }
  }

  #writeDurations(out: string[]): void {
    for (const { info, buckets, seconds } of this.#sorts.values()) {
      const labels = labelsOf(info)
      let total = 0
      durationBuckets.forEach((bound, i) =>
        out.push(`apiserver_request_duration_seconds_bucket{${labels},le="${bound}"} ${(total += buckets[i]!)}`),
      )
      total += buckets[durationBuckets.length]!
      out.push(
        `apiserver_request_duration_seconds_bucket{${labels},le="+Inf"} ${total}`,
        `apiserver_request_duration_seconds_sum{${labels}} ${seconds}`,
        `apiserver_request_duration_seconds_count{${labels}} ${total}`,
      )
    }
  }
}

const sortsMax = 5000

const scopeOf = ({ isResource, name, namespace }: RequestInfo): string =>
  !isResource ? '' : name ? 'resource' : namespace ? 'namespace' : 'cluster'

const escaped = (text: string): string => text.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))

/** Verbs that metrics call by their method. */
const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' }

function labelsOf(info: RequestInfo, dryRun = 'dry_run="",'): string {
  const { group, version, resource, subresource } = info
  const verb = verbNames[info.verb] ?? info.verb.toUpperCase()
  return `component="apiserver",${dryRun}group="${escaped(group)}",resource="${escaped(resource)}",scope="${scopeOf(info)}",subresource="${escaped(subresource)}",verb="${escaped(verb)}",version="${escaped(version)}"`
}
