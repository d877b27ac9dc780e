import type { Metrics } from './metrics.ts'

/** Puts the process itself among its metrics, under the names that every Prometheus client gives them. */
export function addProcessMetrics(metrics: Metrics): void {
  metrics.family('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', 'counter', (out) => {
    const { user, system } = process.cpuUsage()
    out.push(`process_cpu_seconds_total ${(user + system) / 1e6}`)
  })
  metrics.family('process_resident_memory_bytes', 'Resident memory size in bytes.', 'gauge', (out) =>
    out.push(`process_resident_memory_bytes ${process.memoryUsage.rss()}`),
  )
  metrics.family(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    'gauge',
    (out) => out.push(`process_start_time_seconds ${performance.timeOrigin / 1000}`),
  )
}
