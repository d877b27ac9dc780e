import { invalid } from '../../api/errors/api-error.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import type { Query } from '../request/query.ts'

/** Options of lists, watches and deletions of collections. */
export interface ListQuery {
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly watch: boolean
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly limit: number
  readonly continue: string
  readonly timeoutSeconds: number | undefined
}

/** Reads and checks them. */
export function listQuery(query: Query, watch: boolean): ListQuery {
  const options: ListQuery = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    watch,
    allowWatchBookmarks: query.flag('allowWatchBookmarks'),
    sendInitialEvents: query.optionalFlag('sendInitialEvents'),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: Math.max(0, query.integer('limit') ?? 0),
    continue: query.get('continue') ?? '',
    timeoutSeconds: query.integer('timeoutSeconds'),
  }
  const errors = new FieldErrors()
  if (watch) checkWatch(withInitialEvents(options), errors)
  else checkList(options, errors)
  if (!errors.empty) throw invalid('meta.k8s.io', 'ListOptions', '', errors)
  return options
}

/** A watch from no version in particular begins with what is there: upstream makes a watch list of it. */
function withInitialEvents(options: ListQuery): ListQuery {
  if (options.sendInitialEvents !== undefined || options.resourceVersionMatch !== '') return options
  return options.resourceVersion === '' || options.resourceVersion === '0'
    ? { ...options, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    : options
}

const matchAt = field('resourceVersionMatch')

function checkList(
  { resourceVersion, resourceVersionMatch: match, continue: token, sendInitialEvents }: ListQuery,
  errors: FieldErrors,
): void {
  if (match !== '') {
    if (resourceVersion === '')
      errors.forbidden(matchAt, 'resourceVersionMatch is forbidden unless resourceVersion is provided')
    if (token !== '') errors.forbidden(matchAt, 'resourceVersionMatch is forbidden when continue is provided')
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.notSupported(matchAt, match, ['Exact', 'NotOlderThan', ''])
    if (match === 'Exact' && resourceVersion === '0')
      errors.forbidden(matchAt, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
  if (sendInitialEvents !== undefined)
    errors.forbidden(field('sendInitialEvents'), 'sendInitialEvents is forbidden for list')
}

function checkWatch(
  { resourceVersionMatch: match, continue: token, sendInitialEvents }: ListQuery,
  errors: FieldErrors,
): void {
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    errors.forbidden(matchAt, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (match === '') return
  if (sendInitialEvents === undefined)
    errors.forbidden(matchAt, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  if (match !== 'NotOlderThan') errors.notSupported(matchAt, match, ['NotOlderThan'])
  if (token !== '') errors.forbidden(matchAt, 'resourceVersionMatch is forbidden when continue is provided')
}
