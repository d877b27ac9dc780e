import type { Event } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { name, since } from '../table-format/cells.ts'

/** What `kubectl get events` shows. */
export function eventRow(event: Frozen<Event>, nowMs: number): Cell[] {
  const first = since(event.firstTimestamp ?? event.eventTime, nowMs)
  const last = event.series
    ? since(event.series.lastObservedTime, nowMs)
    : event.lastTimestamp
      ? since(event.lastTimestamp, nowMs)
      : first
  const { kind = '', name: target, fieldPath = '' } = event.involvedObject ?? {}
  const component = event.source?.component || event.reportingComponent || ''
  const instance = event.source?.host || event.reportingInstance
  return [
    last,
    event.type ?? '',
    event.reason ?? '',
    target ? `${kind.toLowerCase()}/${target}` : kind.toLowerCase(),
    fieldPath,
    instance ? `${component}, ${instance}` : component,
    (event.message ?? '').trim(),
    first,
    event.series ? (event.series.count ?? 0) : event.count || 1,
    name(event),
  ]
}
