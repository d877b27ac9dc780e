import { eventsV1 } from '../generated/resources.ts'
import type { Event as CoreEvent } from '../generated/types/core-v1.ts'
import type { Event } from '../generated/types/events-v1.ts'
import { checkEvent, checkEventChange, checkNewEvent } from '../core/event-rules.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { eventV1Row } from './event-row.ts'

/** What an Event of events.k8s.io does: stored as the core group's, with other names for some fields and stricter rules. */
export const eventV1Definition = defineKind(eventsV1, {
  row: eventV1Row,
  generation: false,
  createOnUpdate: true,
  fields: {
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  storedFields: {
    'regarding.kind': 'involvedObject.kind',
    'regarding.namespace': 'involvedObject.namespace',
    'regarding.name': 'involvedObject.name',
    'regarding.uid': 'involvedObject.uid',
    'regarding.apiVersion': 'involvedObject.apiVersion',
    'regarding.resourceVersion': 'involvedObject.resourceVersion',
    'regarding.fieldPath': 'involvedObject.fieldPath',
    reportingController: 'reportingComponent',
  },
  validate(event, errors) {
    const core = toCoreEvent(event)
    checkEvent(core, 'reportingController', errors)
    checkNewEvent(core, errors)
  },
  validateUpdate(event, old, errors) {
    const core = toCoreEvent(event)
    checkEvent(core, 'reportingController', errors)
    checkEventChange(core, toCoreEvent(old), errors)
  },
})

/** The event as the core group has it. */
export function toCoreEvent(event: Frozen<Event>): Frozen<CoreEvent> {
  const {
    apiVersion: _,
    note,
    regarding,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    reportingController,
    eventTime,
    ...same
  } = event
  return {
    ...same,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    source: deprecatedSource ?? {},
    firstTimestamp: deprecatedFirstTimestamp as string,
    lastTimestamp: deprecatedLastTimestamp as string,
    eventTime: eventTime as string,
    reportingComponent: reportingController ?? '',
    ...(note !== undefined && { message: note }),
    ...(deprecatedCount !== undefined && { count: deprecatedCount }),
  }
}

/** The event as events.k8s.io has it. */
export function fromCoreEvent(event: Frozen<CoreEvent>): Frozen<Event> {
  const {
    apiVersion: _,
    message,
    involvedObject,
    source,
    firstTimestamp,
    lastTimestamp,
    count,
    reportingComponent,
    eventTime,
    series,
    ...same
  } = event
  return {
    ...same,
    apiVersion: 'events.k8s.io/v1',
    eventTime: eventTime as string,
    regarding: involvedObject,
    deprecatedSource: source ?? {},
    deprecatedFirstTimestamp: firstTimestamp as string,
    deprecatedLastTimestamp: lastTimestamp as string,
    reportingController: reportingComponent ?? '',
    ...(series && { series: { count: series.count ?? 0, lastObservedTime: series.lastObservedTime as string } }),
    ...(message !== undefined && { note: message }),
    ...(count !== undefined && { deprecatedCount: count }),
  }
}
