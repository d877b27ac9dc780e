import { persistentVolumeClaims } from '../generated/resources.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, FieldErrors } from '../validation/field.ts'
import { checkLabelSelector } from '../validation/labels.ts'
import { immutableText, isQualifiedName } from '../validation/names.ts'
import { compareAmounts, isNegativeAmount, roundAmounts } from '../validation/quantities.ts'
import { oldClassAnnotation } from './claim-binding.ts'
import { checkClaimSpec, defaultClaimSpec, type ClaimRules } from './persistentvolumeclaim-spec.ts'
import { claimWarnings } from './pod-spec/warnings.ts'
import { checkAmount, isNative } from './resource-names.ts'
import { persistentVolumeClaimRow } from './persistentvolumeclaim-row.ts'

/** What a PersistentVolumeClaim does. */
export const persistentVolumeClaimDefinition = defineKind(persistentVolumeClaims, {
  row: persistentVolumeClaimRow,
  status: true,
  generation: false,
  metadata: { onUpdate: 'both' },
  defaults(claim) {
    const spec = ensure(claim, 'spec')
    defaultClaimSpec(spec)
    roundAmounts(spec.resources?.limits)
    roundAmounts(spec.resources?.requests)
    ensure(claim, 'status').phase ||= 'Pending'
    roundAmounts(claim.status?.capacity)
    roundAmounts(claim.status?.allocatedResources)
  },
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
    alignDataSources(ensure(claim, 'spec'))
  },
  prepareUpdate(claim, old, { subresource }) {
    if (!subresource && claim.spec) alignDataSources(claim.spec, old.spec)
  },
  validate: ({ spec = {} }, errors) => checkClaimSpec(spec, field('spec'), errors),
  validateUpdate(claim, old, errors, { subresource }) {
    if (subresource === 'status') return checkStatus(claim, errors)
    checkClaimSpec(claim.spec ?? {}, field('spec'), errors, rulesOf(old.spec ?? {}))
    checkChange(claim, old, errors)
  },
  warnings({ metadata, spec }, _old, subresource) {
    if (subresource === 'status') return []
    const deprecated =
      metadata.annotations?.[oldClassAnnotation] === undefined
        ? []
        : [
            `metadata.annotations[${oldClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
          ]
    return [...deprecated, ...claimWarnings(spec?.resources, field('spec'))]
  },
})

/** The old field for a volume's content takes only claims and snapshots; it and the new one follow each other. */
function alignDataSources(spec: PersistentVolumeClaimSpec, old?: Frozen<PersistentVolumeClaimSpec>): void {
  // A reference into another namespace is a feature that upstream's v1.35 has off by default.
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef
  const { dataSource, dataSourceRef } = spec
  const had = old?.dataSource || old?.dataSourceRef
  const known =
    (dataSource?.kind === 'PersistentVolumeClaim' && !dataSource.apiGroup) ||
    (dataSource?.kind === 'VolumeSnapshot' && dataSource.apiGroup === 'snapshot.storage.k8s.io')
  if (dataSource && !had && !dataSourceRef && !known) delete spec.dataSource
  if (spec.dataSource && !dataSourceRef) spec.dataSourceRef = { ...spec.dataSource }
  else if (dataSourceRef && !spec.dataSource && !dataSourceRef.namespace) {
    const { namespace: _, ...reference } = dataSourceRef
    spec.dataSource = reference
  }
}

function rulesOf(old: Frozen<PersistentVolumeClaimSpec>): ClaimRules {
  const errors = new FieldErrors()
  checkLabelSelector(old.selector, field(), errors)
  return {
    anySelectorValue: !errors.empty,
    anyApiGroup: old.dataSource?.apiGroup !== undefined || old.dataSourceRef?.apiGroup !== undefined,
  }
}

/** Nothing changes but the size and attributes of a bound claim, and its volume's name once. */
function checkChange(
  { metadata, spec = {}, status }: Frozen<PersistentVolumeClaim>,
  old: Frozen<PersistentVolumeClaim>,
  errors: FieldErrors,
): void {
  const before = old.spec ?? {}
  const [annotation, oldAnnotation] = [
    metadata.annotations?.[oldClassAnnotation],
    old.metadata.annotations?.[oldClassAnnotation],
  ]
  const now: Record<string, unknown> = { ...spec }
  const then: Record<string, unknown> = { ...before }
  if (!before.volumeName) then['volumeName'] = spec.volumeName
  const unset = before.storageClassName === undefined && spec.storageClassName !== undefined
  if (
    unset &&
    oldAnnotation !== undefined &&
    spec.storageClassName === oldAnnotation &&
    (annotation === undefined || annotation === oldAnnotation)
  )
    delete now['storageClassName']
  else {
    if ((annotation ?? '') !== (oldAnnotation ?? ''))
      errors.invalid(field('metadata', 'annotations', oldClassAnnotation), annotation ?? '', immutableText)
    if (unset && (oldAnnotation === undefined || spec.storageClassName === oldAnnotation))
      now['storageClassName'] = before.storageClassName
  }
  const [size, oldSize] = [spec.resources?.requests?.['storage'], before.resources?.requests?.['storage']]
  if (status?.phase === 'Bound') {
    if (spec.resources?.requests)
      now['resources'] = { ...spec.resources, requests: { ...spec.resources.requests, storage: oldSize } }
    now['volumeAttributesClassName'] = before.volumeAttributesClassName
  }
  if (!equal(now, then))
    errors.forbidden(
      field('spec'),
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    )
  if (compareAmounts(size, oldSize) < 0 && compareAmounts(size, old.status?.capacity?.['storage']) <= 0)
    errors.forbidden(field('spec', 'resources', 'requests', 'storage'), 'field can not be less than status.capacity')
  if (spec.volumeMode !== before.volumeMode) errors.invalid(field('volumeMode'), spec.volumeMode, immutableText)
  const attributes = spec.volumeAttributesClassName
  if (
    attributes === before.volumeAttributesClassName ||
    old.status?.currentVolumeAttributesClassName === undefined ||
    attributes
  )
    return
  errors.forbidden(
    field('spec', 'volumeAttributesClassName'),
    `update to ${attributes === undefined ? 'nil' : 'empty string'} is forbidden when status.currentVolumeAttributesClassName is not nil`,
  )
}

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]

function checkStatus({ metadata, spec, status }: Frozen<PersistentVolumeClaim>, errors: FieldErrors): void {
  if (!metadata.resourceVersion) errors.required(field('resourceVersion'))
  if (!spec?.accessModes?.length) errors.required(field('Spec', 'accessModes'))
  const valid = (amount: string) => !isNegativeAmount(amount)
  for (const [name, amount] of Object.entries(status?.capacity ?? {}))
    if (!valid(amount))
      errors.invalid(field('status', 'capacity').key(name), amount, 'must be a valid resource quantity')
  const statusesAt = field('status', 'allocatedResourceStatuses')
  for (const [name, state] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    checkKey(name, 'allocatedResourceStatuses', errors)
    if (!resizeStatuses.includes(state)) errors.notSupported(statusesAt, name, resizeStatuses)
  }
  const allocatedAt = field('status', 'allocatedResources')
  for (const [name, amount] of Object.entries(status?.allocatedResources ?? {})) {
    if (!checkKey(name, 'allocatedResources', errors)) continue
    if (!valid(amount)) errors.invalid(allocatedAt.key(name), amount, 'must be a valid resource quantity')
    else checkAmount('storage', amount, allocatedAt.key(name), errors)
  }
}

function checkKey(name: string, part: string, errors: FieldErrors): boolean {
  const wrong = isQualifiedName(name)
  for (const text of wrong) errors.invalid(field('status', part), name, text)
  if (wrong.length) return false
  if (!isNative(name) || name === 'storage') return true
  errors.notSupported(field('status', part), name, ['storage'])
  return false
}
