import type { Metrics } from '../base/metrics.ts'
import type { QueuedPod } from './queue/scheduling-queue.ts'

/** The scheduler's metrics under upstream's names. */
export interface SchedulerMetrics {
  attempt(result: 'scheduled' | 'unschedulable' | 'error', startMs: number, endMs: number): void
  scheduled(entry: QueuedPod, nowMs: number): void
}

const seconds = (first: number, factor: number, count: number) =>
  Array.from({ length: count }, (_, i) => first * factor ** i)

/** Declares the metrics. */
export function schedulerMetrics(metrics: Metrics, sizes: () => Record<string, number>): SchedulerMetrics {
  const attempts = metrics.counter(
    'scheduler_schedule_attempts_total',
    'Number of attempts to schedule pods, by the result.',
  )
  const attemptSeconds = metrics.histogram(
    'scheduler_scheduling_attempt_duration_seconds',
    'Scheduling attempt latency in seconds (scheduling algorithm + binding).',
    seconds(0.001, 2, 15),
  )
  const podSeconds = metrics.histogram(
    'scheduler_pod_scheduling_sli_duration_seconds',
    'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue.',
    seconds(0.01, 2, 20),
  )
  const podAttempts = metrics.histogram(
    'scheduler_pod_scheduling_attempts',
    'Number of attempts to successfully schedule a pod.',
    seconds(1, 2, 5),
  )
  const pending = metrics.gauge('scheduler_pending_pods', 'Number of pending pods, by the queue type.')
  metrics.onScrape(() => {
    for (const [queue, size] of Object.entries(sizes())) pending.set(size, { queue })
  })
  return {
    attempt(result, startMs, endMs) {
      const labels = { profile: 'default-scheduler', result }
      attempts.add(labels)
      attemptSeconds.observe((endMs - startMs) / 1000, labels)
    },
    scheduled(entry, nowMs) {
      podSeconds.observe((nowMs - entry.sinceMs) / 1000, { attempts: String(Math.min(entry.attempts, 15)) })
      podAttempts.observe(entry.attempts)
    },
  }
}
