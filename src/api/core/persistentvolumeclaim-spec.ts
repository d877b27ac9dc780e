import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '../generated/types/core-v1.ts'
import type { ObjectMeta } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { checkAnnotations, checkLabels, checkLabelSelector } from '../validation/labels.ts'
import { isLabel, isSubdomain } from '../validation/names.ts'
import { nanos } from '../validation/quantities.ts'

/** What an old claim may keep. */
export interface ClaimRules {
  readonly anySelectorValue?: boolean
  readonly anyApiGroup?: boolean
}

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
/** What a volume can be used as. */
export const volumeModes = ['Block', 'Filesystem']

/** Supported modes, and the exclusive one alone. */
export function checkAccessModes(modes: readonly string[] = [], at: FieldPath, errors: FieldErrors): void {
  for (const mode of modes) if (!accessModes.includes(mode)) errors.notSupported(at, mode, accessModes)
  if (
    modes.includes('ReadWriteOncePod') &&
    modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  )
    errors.forbidden(at, 'may not use ReadWriteOncePod with other access modes')
}

/** A claim's spec: of claims, of templates in StatefulSets and in ephemeral volumes. */
export function checkClaimSpec(
  spec: Frozen<PersistentVolumeClaimSpec>,
  at: FieldPath,
  errors: FieldErrors,
  rules: ClaimRules = {},
): void {
  if (!spec.accessModes?.length) errors.required(at.child('accessModes'), 'at least 1 access mode is required')
  checkLabelSelector(spec.selector, at.child('selector'), errors, rules.anySelectorValue ? { anyValue: true } : {})
  checkAccessModes(spec.accessModes, at.child('accessModes'), errors)
  const storage = spec.resources?.requests?.['storage']
  const storageAt = at.child('resources').key('storage')
  if (storage === undefined) errors.required(storageAt)
  else if (nanos(storage) <= 0n) errors.invalid(storageAt, storage, 'must be greater than zero')
  if (spec.storageClassName)
    for (const text of isSubdomain(spec.storageClassName))
      errors.invalid(at.child('storageClassName'), spec.storageClassName, text)
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode))
    errors.notSupported(at.child('volumeMode'), spec.volumeMode, volumeModes)
  const { dataSource, dataSourceRef } = spec
  if (dataSource) checkDataSource(dataSource, at.child('dataSource'), errors, rules)
  if (dataSourceRef) {
    checkDataSource(dataSourceRef, at.child('dataSourceRef'), errors, rules)
    if (dataSourceRef.namespace)
      for (const text of isLabel(dataSourceRef.namespace))
        errors.invalid(at.child('dataSourceRef', 'namespace'), dataSourceRef.namespace, text)
  }
  if (dataSource && dataSourceRef) {
    if (dataSourceRef.namespace)
      errors.invalid(at, {}, 'may not be specified when dataSourceRef.namespace is specified')
    else if (
      dataSource.apiGroup !== dataSourceRef.apiGroup ||
      dataSource.kind !== dataSourceRef.kind ||
      dataSource.name !== dataSourceRef.name
    )
      errors.invalid(at, {}, 'must match dataSourceRef')
  }
  const { volumeAttributesClassName: attributes } = spec
  if (attributes)
    for (const text of isSubdomain(attributes)) errors.invalid(at.child('volumeAttributesClassName'), attributes, text)
}

function checkDataSource(
  { name, kind, apiGroup = '' }: Frozen<TypedObjectReference>,
  at: FieldPath,
  errors: FieldErrors,
  rules: ClaimRules,
): void {
  if (!name) errors.required(at.child('name'))
  if (!kind) errors.required(at.child('kind'))
  if (!apiGroup && kind !== 'PersistentVolumeClaim')
    errors.invalid(at, kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
  if (apiGroup && !rules.anyApiGroup)
    for (const text of isSubdomain(apiGroup)) errors.invalid(at.child('apiGroup'), apiGroup, text)
}

/** A claim that is made for a Pod. */
export function checkClaimTemplate(
  { metadata, spec }: Frozen<PersistentVolumeClaimTemplate>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkTemplateMetadata(metadata, at.child('metadata'), errors)
  checkClaimSpec(spec ?? {}, at.child('spec'), errors)
}

/** Metadata of a template: labels and annotations, nothing else. */
export function checkTemplateMetadata(metadata: Frozen<ObjectMeta> = {}, at: FieldPath, errors: FieldErrors): void {
  checkAnnotations(metadata.annotations, at.child('annotations'), errors)
  checkLabels(metadata.labels, at.child('labels'), errors)
  for (const [name, value] of Object.entries(metadata)) {
    // Fields are told by their names in Go, with a small first letter.
    if (name !== 'annotations' && name !== 'labels' && value)
      errors.forbidden(at.child(name === 'uid' ? 'uID' : name), 'cannot be set')
  }
}

/** What claims get when the author leaves it out. */
export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
}
