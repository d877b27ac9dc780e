import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'

/** As Go's Prometheus client has them by default. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Requests that last as long as their client likes. */
const lasting: ReadonlySet<string> = new Set(['containerLogs', 'exec', 'attach', 'portForward'])

/** Counts the server's requests under upstream's names. */
export function newRequestMetrics(
  metrics: Metrics,
  clock: Clock,
): (message: IncomingMessage, response: ServerResponse) => void {
  const total = metrics.counter(
    'kubelet_http_requests_total',
    'Number of the http requests received since the server started',
  )
  const inflight = metrics.gauge('kubelet_http_inflight_requests', 'Number of the inflight http requests')
  const durations = metrics.histogram(
    'kubelet_http_requests_duration_seconds',
    'Duration in seconds to serve http requests',
    buckets,
  )
  return ({ method = '', url = '' }, response) => {
    const path = /^\/?([^/?]*(?:\/(?:cadvisor|probes|resource|summary)(?=[/?]|$))?)/.exec(url)?.[1] ?? ''
    const labels = {
      method,
      path: known.has(path.split('/')[0]!) ? path : 'other',
      server_type: 'readwrite',
      long_running: String(lasting.has(path)),
    }
    const startMs = clock.now()
    total.add(labels)
    inflight.add(1, labels)
    // Of a session too: its connection's end is its answer's.
    response.once('close', () => {
      inflight.add(-1, labels)
      durations.observe((clock.now() - startMs) / 1000, labels)
    })
  }
}

/** Whoever asks for anything else shall not make a series of their own. */
const known: ReadonlySet<string> = new Set([
  'healthz',
  'pods',
  'runningpods',
  'stats',
  'metrics',
  'configz',
  'containerLogs',
  'exec',
  'attach',
  'portForward',
  'run',
  'logs',
])
