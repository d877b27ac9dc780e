import type { Counter, Gauge, Histogram, Labels, Metrics } from '../../base/metrics.ts'

/** A work queue's metrics, by upstream's names. */
export interface QueueMetrics {
  readonly labels: Labels
  readonly depth: Gauge
  readonly adds: Counter
  readonly retries: Counter
  readonly waited: Histogram
  readonly worked: Histogram
  readonly unfinished: Gauge
  readonly longest: Gauge
}

/** 10 ns to 10 s by tens, as upstream. */
const buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]

/** Declares (once) and gives the metrics for the queue of this name. */
export const queueMetrics = (metrics: Metrics, name: string): QueueMetrics => ({
  labels: { name },
  depth: metrics.gauge('workqueue_depth', 'Current depth of workqueue'),
  adds: metrics.counter('workqueue_adds_total', 'Total number of adds handled by workqueue'),
  retries: metrics.counter('workqueue_retries_total', 'Total number of retries handled by workqueue'),
  waited: metrics.histogram(
    'workqueue_queue_duration_seconds',
    'How long in seconds an item stays in workqueue before being requested.',
    buckets,
  ),
  worked: metrics.histogram(
    'workqueue_work_duration_seconds',
    'How long in seconds processing an item from workqueue takes.',
    buckets,
  ),
  unfinished: metrics.gauge(
    'workqueue_unfinished_work_seconds',
    "How many seconds of work has been done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads.",
  ),
  longest: metrics.gauge(
    'workqueue_longest_running_processor_seconds',
    'How many seconds has the longest running processor for workqueue been running.',
  ),
})
