import { events } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { checkEvent } from './event-rules.ts'
import { eventRow } from './event-row.ts'

/** What an Event does: the old version takes nearly everything. */
export const eventDefinition = defineKind(events, {
  row: eventRow,
  generation: false,
  createOnUpdate: true,
  // Not even the name is looked at, beyond what every name must be.
  nameErrors: pathSegmentErrors,
  metadata: { onCreate: 'last', onUpdate: 'none', finalizers: 'any' },
  fields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
    type: ({ type }) => type ?? '',
  },
  validate: (event, errors) => checkEvent(event, 'reportingComponent', errors),
  validateUpdate: (event, _old, errors) => checkEvent(event, 'reportingComponent', errors),
})
