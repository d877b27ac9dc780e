import { resourceQuotas } from '../generated/resources.ts'
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { immutableText } from '../validation/names.ts'
import { compareAmounts, roundAmounts } from '../validation/quantities.ts'
import { checkAmount, checkQuotaResourceName, isQuotaResource } from './resource-names.ts'
import { resourceQuotaRow } from './resourcequota-row.ts'

/** What a ResourceQuota does. */
export const resourceQuotaDefinition = defineKind(resourceQuotas, {
  row: resourceQuotaRow,
  status: true,
  generation: false,
  defaults(quota) {
    roundAmounts(ensure(quota, 'spec').hard)
    roundAmounts(quota.status?.hard)
    roundAmounts(quota.status?.used)
  },
  validate: ({ spec }, errors) => checkSpec(spec, errors),
  validateUpdate({ metadata, spec, status }, old, errors, { subresource }) {
    if (subresource === 'status') {
      if (!metadata.resourceVersion) errors.required(field('resourceVersion'))
      checkAmounts(status?.hard, field('status', 'hard'), errors)
      return checkAmounts(status?.used, field('status', 'used'), errors)
    }
    checkSpec(spec, errors)
    const sorted = (scopes: readonly string[] | undefined) => [...new Set(scopes)].toSorted().join()
    if (sorted(spec?.scopes) !== sorted(old.spec?.scopes))
      errors.invalid(field('spec', 'scopes'), spec?.scopes ?? null, immutableText)
  },
  warnings: ({ spec }, old) => (old ? [] : requestWarnings(spec?.hard ?? {})),
})

function requestWarnings(hard: Readonly<Record<string, string>>): string[] {
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((name) => {
    const bare = (name === 'cpu' || name === 'memory') && hard[`requests.${name}`] === undefined
    const key = bare ? name : `requests.${name}`
    const [request, limit] = [hard[key], hard[`limits.${name}`]]
    if (request === undefined || limit === undefined || compareAmounts(request, limit) <= 0) return []
    const at = field('spec', 'hard')
    return [`${at.key(key)} (${request}) should be less than ${at.key(`limits.${name}`)} (${limit})`]
  })
}

function checkAmounts(amounts: Readonly<Record<string, string>> | undefined, at: FieldPath, errors: FieldErrors): void {
  for (const name in amounts) {
    checkQuotaResourceName(name, at.key(name), errors)
    checkAmount(name, amounts[name] ?? '0', at.key(name), errors)
  }
}

const podScopes = ['Terminating', 'NotTerminating', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity']
const scopes = [...podScopes, 'BestEffort', 'VolumeAttributesClass']
const podResources = new Set([
  'pods',
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
])
const conflicting = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

/** Whether a scope can be applied to a resource. */
function fits(scope: string, resource: string): boolean {
  if (podScopes.includes(scope)) return podResources.has(resource)
  if (scope === 'BestEffort') return resource === 'pods'
  return scope !== 'VolumeAttributesClass' || resource === 'persistentvolumeclaims' || resource === 'requests.storage'
}

function checkSpec(spec: Frozen<ResourceQuotaSpec> = {}, errors: FieldErrors): void {
  const at = field('spec')
  checkAmounts(spec.hard, at.child('hard'), errors)
  const resources = Object.keys(spec.hard ?? {}).filter(isQuotaResource)
  const path = at.child('scopes')
  for (const scope of spec.scopes ?? []) {
    if (!scopes.includes(scope)) errors.invalid(path, spec.scopes, 'unsupported scope')
    for (const resource of resources)
      if (!fits(scope, resource)) errors.invalid(path, spec.scopes, 'unsupported scope applied to resource')
  }
  checkConflicts(spec.scopes ?? [], path, errors)
  if (!spec.scopeSelector) return
  const expressions = at.child('scopeSelector', 'matchExpressions')
  for (const requirement of spec.scopeSelector.matchExpressions ?? [])
    checkRequirement(requirement, resources, expressions, errors)
  checkConflicts(
    (spec.scopeSelector.matchExpressions ?? []).map(({ scopeName }) => scopeName),
    expressions,
    errors,
  )
}

function checkConflicts(used: readonly string[], at: FieldPath, errors: FieldErrors): void {
  for (const pair of conflicting)
    if (pair.every((scope) => used.includes(scope))) errors.invalid(at, used, 'conflicting scopes')
}

function checkRequirement(
  { scopeName = '', operator = '', values = [] }: Frozen<ScopedResourceSelectorRequirement>,
  resources: readonly string[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!scopes.includes(scopeName)) errors.invalid(at.child('scopeName'), scopeName, 'unsupported scope')
  for (const resource of resources)
    if (!fits(scopeName, resource)) errors.invalid(at, scopeName, 'unsupported scope applied to resource')
  const onlyExists = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
  if (onlyExists.includes(scopeName) && operator !== 'Exists') {
    errors.invalid(
      at.child('operator'),
      operator,
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
    )
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (!values.length)
      errors.required(
        at.child('values'),
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      )
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length)
      errors.invalid(
        at.child('values'),
        values,
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      )
  } else errors.invalid(at.child('operator'), operator, 'not a valid selector operator')
}
