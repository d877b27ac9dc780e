import type { Job } from '../generated/types/batch-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, containerCells, name, selectorCell } from '../table-format/cells.ts'
import { humanDuration } from '../table-format/duration.ts'

/** What `kubectl get jobs` shows. */
export const jobRow = (job: Frozen<Job>, nowMs: number): Cell[] => [
  name(job),
  statusCell(job),
  completionsCell(job),
  durationCell(job, nowMs),
  age(job, nowMs),
  ...containerCells(job.spec?.template?.spec?.containers),
  selectorCell(job.spec?.selector),
]

function statusCell({ metadata, status }: Frozen<Job>): string {
  const is = (wanted: string) => status?.conditions?.find(({ type }) => type === wanted)?.status === 'True'
  if (is('Complete')) return 'Complete'
  if (is('Failed')) return 'Failed'
  if (metadata?.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running'
}

function completionsCell({ spec, status }: Frozen<Job>): string {
  const succeeded = status?.succeeded ?? 0
  if (spec?.completions !== undefined && spec.completions !== null) return `${succeeded}/${spec.completions}`
  const parallelism = spec?.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationCell({ status }: Frozen<Job>, nowMs: number): string {
  if (!status?.startTime) return ''
  return humanDuration(
    (status.completionTime ? Date.parse(status.completionTime) : nowMs) - Date.parse(status.startTime),
  )
}
