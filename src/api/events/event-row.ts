import type { Event } from '../generated/types/events-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { eventRow } from '../core/event-row.ts'

/** What `kubectl get events.events.k8s.io` shows: the same as of the older form. */
export const eventV1Row = (event: Frozen<Event>, nowMs: number): Cell[] =>
  eventRow(
    {
      metadata: event.metadata ?? {},
      involvedObject: event.regarding ?? {},
      ...(event.deprecatedFirstTimestamp && { firstTimestamp: event.deprecatedFirstTimestamp }),
      ...(event.deprecatedLastTimestamp && { lastTimestamp: event.deprecatedLastTimestamp }),
      ...(event.deprecatedCount && { count: event.deprecatedCount }),
      ...(event.deprecatedSource && { source: event.deprecatedSource }),
      ...(event.eventTime && { eventTime: event.eventTime }),
      ...(event.series && { series: event.series }),
      type: event.type ?? '',
      reason: event.reason ?? '',
      message: event.note ?? '',
      reportingComponent: event.reportingController ?? '',
      reportingInstance: event.reportingInstance ?? '',
    },
    nowMs,
  )
