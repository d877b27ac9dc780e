import type { Deps } from '../../base/deps.ts'
import type { CriConnection } from './connect.ts'

/** Upstream's buckets: from 5 ms, each 2.5 times the one before. */
const bucketsSeconds = Array.from({ length: 14 }, (_, i) => 0.005 * 2.5 ** i)

/** A connection whose calls are counted and timed; the same one without metrics. */
export function measured(
  connection: CriConnection,
  { clock, metrics }: Pick<Deps, 'clock'> & { readonly metrics?: Deps['metrics'] },
): CriConnection {
  if (!metrics) return connection
  const total = metrics.counter(
    'kubelet_runtime_operations_total',
    'Cumulative number of runtime operations by operation type.',
  )
  const errors = metrics.counter(
    'kubelet_runtime_operations_errors_total',
    'Cumulative number of runtime operation errors by operation type.',
  )
  const duration = metrics.histogram(
    'kubelet_runtime_operations_duration_seconds',
    'Duration in seconds of runtime operations. Broken down by operation type.',
    bucketsSeconds,
  )
  return {
    ...connection,
    async call(name, request, options) {
      const labels = { operation_type: operationType(name) }
      const startMs = clock.now()
      total.add(labels)
      try {
        return await connection.call(name, request, options)
      } catch (error) {
        errors.add(labels)
        throw error
      } finally {
        duration.observe((clock.now() - startMs) / 1000, labels)
      }
    },
  }
}

/** RunPodSandbox → run_podsandbox: upstream's names. */
const operationType = (name: string) =>
  name
    .replace('PodSandbox', 'Podsandbox')
    .replace(/(?<!^)([A-Z])/g, '_$1')
    .toLowerCase()
