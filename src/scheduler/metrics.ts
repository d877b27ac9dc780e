import type { Deps } from '../base/deps.ts'
import type { QueuedPod } from './queue/scheduling-queue.ts'

/** How an attempt to schedule a Pod ended. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error'

/** The scheduler's metrics under upstream's names. */
export interface SchedulerMetrics {
  /** An attempt has ended; one that found a node ends when the Pod is bound. */
  attempt(result: AttemptResult, profile: string, startMs: number): void
  /** A node was looked for and found. */
  found(startMs: number): void
  scheduled(entry: QueuedPod): void
  /** Room was looked for by preemption; so many Pods have to go, if that helps. */
  preemption(victims: number): void
}

/** Pods that needed more attempts are counted together. */
const attemptsMax = 15

const seconds = (first: number, factor: number, count: number) =>
  Array.from({ length: count }, (_, i) => first * factor ** i)

/** Declares the metrics. */
export function schedulerMetrics(
  { metrics, clock }: Pick<Deps, 'metrics' | 'clock'>,
  sizes: () => Record<string, number>,
): SchedulerMetrics {
  const attempts = metrics.counter(
    'scheduler_schedule_attempts_total',
    "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
  )
  const attemptSeconds = metrics.histogram(
    'scheduler_scheduling_attempt_duration_seconds',
    'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    seconds(0.001, 2, 15),
  )
  const algorithmSeconds = metrics.histogram(
    'scheduler_scheduling_algorithm_duration_seconds',
    'Scheduling algorithm latency in seconds',
    seconds(0.001, 2, 15),
  )
  const podSeconds = metrics.histogram(
    'scheduler_pod_scheduling_sli_duration_seconds',
    'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
    seconds(0.01, 2, 20),
  )
  const podAttempts = metrics.histogram(
    'scheduler_pod_scheduling_attempts',
    'Number of attempts to successfully schedule a pod.',
    seconds(1, 2, 5),
  )
  const preemptions = metrics.counter(
    'scheduler_preemption_attempts_total',
    'Total preemption attempts in the cluster till now',
  )
  const victimCounts = metrics.histogram(
    'scheduler_preemption_victims',
    'Number of selected preemption victims',
    seconds(1, 2, 7),
  )
  const pending = metrics.gauge('scheduler_pending_pods', 'Number of pending pods, by the queue type.')
  metrics.onScrape(() => {
    for (const [queue, size] of Object.entries(sizes())) pending.set(size, { queue })
  })
  const since = (startMs: number) => (clock.now() - startMs) / 1000
  return {
    attempt(result, profile, startMs) {
      const labels = { profile, result }
      attempts.add(labels)
      attemptSeconds.observe(since(startMs), labels)
    },
    found: (startMs) => algorithmSeconds.observe(since(startMs)),
    scheduled(entry) {
      const label = entry.attempts >= attemptsMax ? `${attemptsMax}+` : String(entry.attempts)
      podSeconds.observe(since(entry.sinceMs), { attempts: label })
      podAttempts.observe(entry.attempts)
    },
    preemption(victims) {
      preemptions.add()
      if (victims > 0) victimCounts.observe(victims)
    },
  }
}
