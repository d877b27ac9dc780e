import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { finishedMs } from './job-pods.ts'

const firstMs = 10_000
const maxMs = 600_000

/** Failures of a Job's pods since one last succeeded. */
export interface FailureRecord {
  readonly failures: number
  readonly lastMs: number
}

/** The record after pods ended. */
export function nextRecord(
  record: FailureRecord | undefined,
  succeeded: readonly Frozen<Pod>[],
  failed: readonly Frozen<Pod>[],
): FailureRecord | undefined {
  const failures = failed.map(finishedMs).sort((a, b) => a - b)
  if (succeeded.length === 0) {
    const last = failures.at(-1)
    return last === undefined ? record : { failures: (record?.failures ?? 0) + failures.length, lastMs: last }
  }
  const success = Math.max(...succeeded.map(finishedMs))
  const since = failures.filter((ms) => ms > success)
  const last = since.at(-1)
  return last === undefined ? undefined : { failures: since.length, lastMs: last }
}

/** How long to wait before the next pod: 10 s after the first failure, then twice as long each time, at most 10 minutes. */
export function waitMs(record: FailureRecord | undefined, nowMs: number): number {
  if (!record || record.failures === 0) return 0
  const backoffMs = Math.min(maxMs, firstMs * 2 ** Math.min(record.failures - 1, 30))
  return Math.max(0, record.lastMs + backoffMs - nowMs)
}
