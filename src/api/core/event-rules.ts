import type { Event } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors } from '../validation/field.ts'
import { immutableText, isQualifiedName, isSubdomain } from '../validation/names.ts'

const textMax = 128
const noteMax = 1024

/** Rules of events in every version. `reporting` is the name of the reporting controller's field. */
export function checkEvent(
  event: Frozen<Event>,
  reporting: 'reportingComponent' | 'reportingController',
  errors: FieldErrors,
): void {
  const namespace = event.metadata.namespace ?? ''
  const about = event.involvedObject?.namespace ?? ''
  const elsewhere = () => errors.invalid(field('involvedObject', 'namespace'), about, 'does not match event.namespace')
  if (!event.eventTime) {
    if (about ? about !== namespace : namespace && namespace !== 'default') elsewhere()
  } else {
    if (!about && namespace !== 'default' && namespace !== 'kube-system') elsewhere()
    const controller = event.reportingComponent ?? ''
    if (!controller) errors.required(field(reporting))
    for (const text of isQualifiedName(controller)) errors.invalid(field(reporting), controller, text)
    for (const name of ['reportingInstance', 'action', 'reason'] as const) {
      if (!event[name]) errors.required(field(name))
      if (Buffer.byteLength(event[name] ?? '') > textMax)
        errors.invalid(field(name), '', `can have at most ${textMax} characters`)
    }
    if (Buffer.byteLength(event.message ?? '') > noteMax)
      errors.invalid(field('message'), '', `can have at most ${noteMax} characters`)
  }
  for (const text of isSubdomain(namespace)) errors.invalid(field('namespace'), namespace, text)
}

/** What events.k8s.io/v1 asks of a new event besides. */
export function checkNewEvent(event: Frozen<Event>, errors: FieldErrors): void {
  checkSeries(event, errors)
  if (!event.eventTime) errors.required(field('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.invalid(field('type'), '', `has invalid value: ${event.type ?? ''}`)
  for (const name of ['firstTimestamp', 'lastTimestamp', 'count'] as const)
    if (event[name]) errors.invalid(field(name), '', 'needs to be unset')
  if (event.source?.component || event.source?.host) errors.invalid(field('source'), '', 'needs to be unset')
}

const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'action',
  'related',
  'reportingInstance',
] as const

/** What events.k8s.io/v1 lets change: the series. */
export function checkEventChange(event: Frozen<Event>, old: Frozen<Event>, errors: FieldErrors): void {
  if (!equal(event.series, old.series)) checkSeries(event, errors)
  for (const name of fixed) {
    if (
      equal(event[name] || undefined, old[name] || undefined) ||
      (name === 'source' && isEmpty(event.source) && isEmpty(old.source))
    )
      continue
    errors.invalid(field(name), event[name], immutableText)
    // Upstream looks at the reason twice.
    if (name === 'reason') errors.invalid(field(name), event[name], immutableText)
  }
  if ((event.reportingComponent ?? '') !== (old.reportingComponent ?? ''))
    errors.invalid(field('reportingController'), event.reportingComponent, immutableText)
  if (event.eventTime !== old.eventTime) errors.invalid(field('eventTime'), event.eventTime, immutableText)
}

const isEmpty = (source: Frozen<Event>['source']) => !source?.component && !source?.host

function checkSeries({ series }: Frozen<Event>, errors: FieldErrors): void {
  if (!series) return
  if ((series.count ?? 0) < 2) errors.invalid(field('series.count'), '', 'should be at least 2')
  if (!series.lastObservedTime) errors.required(field('series.lastObservedTime'))
}
