import { ensure, type Thawed } from '../draft.ts'
import { apiServices } from '../generated/resources.ts'
import type { APIService } from '../generated/types/apiregistration-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { keepMetadata } from '../status-metadata.ts'
import { checkText, isPathSegment } from '../validation/check.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isDns1035Label, isPortNumber, isSubdomain, pathSegmentErrors } from '../validation/names.ts'
import { apiServiceRow } from './apiservice-row.ts'
import { timeText } from '../schema/times.ts'

const statuses = ['False', 'True', 'Unknown']
const groupPriorityMax = 20_000
const versionPriorityMax = 1000

/** What an APIService does. */
export const apiServiceDefinition = defineKind(apiServices, {
  row: apiServiceRow,
  status: true,
  generation: false,
  unconditionalUpdate: false,
  nameErrors: pathSegmentErrors,
  metadata: { finalizers: 'any', onUpdate: 'both' },
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443
  },
  prepareCreate(service, { nowMs }) {
    if (!service.spec?.service) setLocal(service, nowMs)
  },
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource === 'status') keepMetadata(metadata, old.metadata)
  },
  validate: checkService,
  validateUpdate(service, _old, errors, { subresource }) {
    if (subresource !== 'status') return checkService(service, errors)
    service.status?.conditions?.forEach(({ status }, i) => {
      if (!statuses.includes(status))
        errors.notSupported(field('status', 'conditions').index(i).child('status'), status, [
          'True',
          'False',
          'Unknown',
        ])
    })
  },
})

/** What this server itself serves is there. */
function setLocal(service: Thawed<APIService>, nowMs: number): void {
  ensure(service, 'status').conditions = [
    {
      type: 'Available',
      status: 'True',
      lastTransitionTime: timeText(nowMs),
      reason: 'Local',
      message: 'Local APIServices are always available',
    },
  ]
}

function checkService({ metadata, spec }: Frozen<APIService>, errors: FieldErrors): void {
  const at = field('spec')
  const {
    group = '',
    version = '',
    groupPriorityMinimum = 0,
    versionPriority = 0,
    service,
    caBundle,
    insecureSkipTLSVerify: insecure,
  } = spec ?? {}
  const expected = `${version}.${group}`
  const { name = '' } = metadata
  if (name && name !== expected && isPathSegment(name).length === 0)
    errors.invalid(
      field('metadata', 'name'),
      name,
      `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`,
    )
  if (!group && version !== 'v1')
    errors.required(at.child('group'), 'only v1 may have an empty group and it better be legacy kube')
  if (group) checkText(isSubdomain, group, at.child('group'), errors)
  checkText(isDns1035Label, version, at.child('version'), errors)
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > groupPriorityMax)
    errors.invalid(at.child('groupPriorityMinimum'), groupPriorityMinimum, 'must be positive and less than 20000')
  if (versionPriority <= 0 || versionPriority > versionPriorityMax)
    errors.invalid(at.child('versionPriority'), versionPriority, 'must be positive and less than 1000')
  if (service) {
    checkReference(service, at.child('service'), errors)
    if (insecure && caBundle)
      errors.invalid(at.child('insecureSkipTLSVerify'), insecure, 'may not be true if caBundle is present')
  } else {
    if (caBundle)
      errors.invalid(
        at.child('caBundle'),
        `${Buffer.from(caBundle, 'base64').length} bytes`,
        'local APIServices may not have a caBundle',
      )
    if (insecure)
      errors.invalid(
        at.child('insecureSkipTLSVerify'),
        insecure,
        'local APIServices may not have insecureSkipTLSVerify',
      )
  }
}

function checkReference(
  { namespace, name, port = 0 }: NonNullable<Frozen<APIService>['spec']>['service'] & object,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!namespace) errors.required(at.child('namespace'))
  if (!name) errors.required(at.child('name'))
  const problems = isPortNumber(port)
  if (problems.length) errors.invalid(at.child('port'), port, `port is not valid: ${problems.join(', ')}`)
}
