import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../generated/types/meta-v1.ts'
import type { KindBehaviour } from '../kind.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import { equal } from './equal.ts'
import { field, type FieldErrors, type FieldPath } from './field.ts'
import { checkAnnotations, checkLabels } from './labels.ts'
import {
  dnsSubdomainErrors,
  immutableText,
  isLabel,
  isQualifiedName,
  negativeText,
  pathSegmentErrors,
  type NameRule,
} from './names.ts'

/** What of a kind metadata rules depend on. */
export interface MetadataKind {
  readonly resource: { readonly namespaced: boolean }
  readonly behaviour: Pick<KindBehaviour<never>, 'nameErrors' | 'metadata'>
}

const root = field('metadata')
const name = root.child('name')
const labels = root.child('labels')
const annotations = root.child('annotations')
const finalizersAt = root.child('finalizers')
const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

/** The metadata of a new object, after its name was made. The API server calls it before the kind's own `validate`. */
export function validateMetadata(object: Frozen<KubernetesObject>, kind: MetadataKind, errors: FieldErrors): void {
  const before = errors.list.length
  checkObject(object.metadata ?? {}, kind, errors)
  // Upstream tells of the least rule only when nothing else is wrong.
  if (errors.list.length === before)
    for (const text of pathSegmentErrors(object.metadata?.name ?? '', false))
      errors.invalid(name, object.metadata?.name, text)
}

/** The metadata of a changed object, before the kind's own `validateUpdate`. Upstream tells most errors several times here, and clients see that. */
export function validateMetadataUpdate(
  { metadata = {} }: Frozen<KubernetesObject>,
  { metadata: old = {} }: Frozen<KubernetesObject>,
  kind: MetadataKind,
  errors: FieldErrors,
): void {
  checkAnyUpdate(metadata, old, kind, errors)
  const again = kind.behaviour.metadata?.onUpdate ?? 'update'
  if (again === 'object' || again === 'both') checkObject(metadata, kind, errors)
  if (again === 'update' || again === 'both') checkUpdateAgain(metadata, old, kind, errors)
}

/** The same for a change through a subresource, where all kinds look again in the same way. */
export function validateSubresourceMetadata(
  { metadata = {} }: Frozen<KubernetesObject>,
  { metadata: old = {} }: Frozen<KubernetesObject>,
  kind: MetadataKind,
  errors: FieldErrors,
): void {
  checkAnyUpdate(metadata, old, kind, errors)
  checkUpdateAgain(metadata, old, kind, errors)
}

function checkAnyUpdate(
  metadata: Frozen<ObjectMeta>,
  old: Frozen<ObjectMeta>,
  { resource: { namespaced } }: MetadataKind,
  errors: FieldErrors,
): void {
  checkCommon(metadata, { rule: pathSegmentErrors, namespaced, standard: false }, errors)
  checkChange(metadata, old, errors)
}

function checkUpdateAgain(
  metadata: Frozen<ObjectMeta>,
  old: Frozen<ObjectMeta>,
  { behaviour }: MetadataKind,
  errors: FieldErrors,
): void {
  checkChange(metadata, old, errors)
  if (behaviour.metadata?.finalizers !== 'any') checkStandardFinalizers(metadata.finalizers, errors)
}

function checkObject(metadata: Frozen<ObjectMeta>, kind: MetadataKind, errors: FieldErrors): void {
  const { nameErrors = dnsSubdomainErrors, metadata: rules } = kind.behaviour
  checkCommon(
    metadata,
    { rule: nameErrors, namespaced: kind.resource.namespaced, standard: rules?.finalizers !== 'any' },
    errors,
  )
}

function checkCommon(
  metadata: Frozen<ObjectMeta>,
  { rule, namespaced, standard }: { rule: NameRule; namespaced: boolean; standard: boolean },
  errors: FieldErrors,
): void {
  if (metadata.generateName)
    for (const text of rule(metadata.generateName, true))
      errors.invalid(root.child('generateName'), metadata.generateName, text)
  if (!metadata.name) errors.required(name, 'name or generateName is required')
  else for (const text of rule(metadata.name, false)) errors.invalid(name, metadata.name, text)
  if (!namespaced) {
    if (metadata.namespace) errors.forbidden(root.child('namespace'), 'not allowed on this type')
  } else if (!metadata.namespace) errors.required(root.child('namespace'))
  else for (const text of isLabel(metadata.namespace)) errors.invalid(root.child('namespace'), metadata.namespace, text)
  if ((metadata.generation ?? 0) < 0) errors.invalid(root.child('generation'), metadata.generation, negativeText)
  checkLabels(metadata.labels, labels, errors)
  checkAnnotations(metadata.annotations, annotations, errors)
  checkOwners(metadata.ownerReferences, errors)
  checkFinalizers(metadata.finalizers, errors)
  checkManagedFields(metadata.managedFields, errors)
  if (standard) checkStandardFinalizers(metadata.finalizers, errors)
}

function checkChange(metadata: Frozen<ObjectMeta>, old: Frozen<ObjectMeta>, errors: FieldErrors): void {
  if (old.deletionTimestamp) {
    const had = new Set(old.finalizers)
    const added = (metadata.finalizers ?? []).filter((finalizer) => !had.has(finalizer))
    if (added.length)
      errors.forbidden(
        finalizersAt,
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
          .toSorted()
          .map((text) => JSON.stringify(text))
          .join(', ')}}`,
      )
  }
  if (!metadata.resourceVersion) errors.invalid(root.child('resourceVersion'), '', 'must be specified for an update')
  if ((metadata.generation ?? 0) < (old.generation ?? 0))
    errors.invalid(root.child('generation'), metadata.generation ?? 0, 'must not be decremented')
  for (const key of [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    if (metadata[key] !== old[key] && !equal(metadata[key], old[key]))
      errors.invalid(root.child(key), metadata[key], immutableText)
  }
  checkLabels(metadata.labels, labels, errors)
  checkAnnotations(metadata.annotations, annotations, errors)
  checkOwners(metadata.ownerReferences, errors)
  checkManagedFields(metadata.managedFields, errors)
}

function checkOwners(owners: Frozen<OwnerReference[]> | undefined, errors: FieldErrors): void {
  if (!owners?.length) return
  const at = root.child('ownerReferences')
  let controller: string | undefined
  for (const owner of owners) {
    const version = owner.apiVersion ?? ''
    // What cannot be read as group/version has no version.
    if (!version || version.split('/').length > 2 || version.endsWith('/'))
      errors.invalid(at.child('apiVersion'), version, 'version must not be empty')
    if (!owner.kind) errors.invalid(at.child('kind'), '', 'must not be empty')
    if (!owner.name) errors.invalid(at.child('name'), '', 'must not be empty')
    if (!owner.uid) errors.invalid(at.child('uid'), '', 'must not be empty')
    if (version === 'v1' && owner.kind === 'Event')
      errors.invalid(at, owner, '/v1, Kind=Event is disallowed from being an owner')
    if (!owner.controller) continue
    const text = `${owner.kind}/${owner.name}`
    if (controller)
      errors.invalid(
        at,
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${text}`,
      )
    controller ??= text
  }
}

function checkFinalizers(finalizers: readonly string[] | undefined, errors: FieldErrors): void {
  if (!finalizers?.length) return
  for (const finalizer of finalizers)
    for (const text of isQualifiedName(finalizer)) errors.invalid(finalizersAt, finalizer, text)
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.invalid(finalizersAt, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set')
}

/** A finalizer without a domain must be one of upstream's own. */
export function checkStandardFinalizer(finalizer: string, at: FieldPath, errors: FieldErrors): void {
  if (!finalizer.includes('/') && !standardFinalizers.has(finalizer))
    errors.invalid(at, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')
}

function checkStandardFinalizers(finalizers: readonly string[] | undefined, errors: FieldErrors): void {
  finalizers?.forEach((finalizer, i) => {
    if (!finalizer.includes('/')) checkStandardFinalizer(finalizer, finalizersAt.index(i), errors)
  })
}

const managerBytesMax = 128
const subresourceBytesMax = 256

function checkManagedFields(entries: Frozen<ManagedFieldsEntry[]> | undefined, errors: FieldErrors): void {
  if (!entries) return
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]
    if (!entry) continue
    const at = () => root.child('managedFields').index(i)
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.invalid(at().child('operation'), entry.operation ?? '', 'must be `Apply` or `Update`')
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1')
      errors.invalid(at().child('fieldsType'), entry.fieldsType, 'must be `FieldsV1`')
    if (entry.manager && !/^[\x20-\x7e]{0,128}$/.test(entry.manager))
      checkFieldManager(entry.manager, at().child('manager'), errors)
    if ((entry.subresource?.length ?? 0) > subresourceBytesMax)
      errors.tooLong(at().child('subresource'), subresourceBytesMax)
  }
}

/** The name of a field manager: short and printable. */
export function checkFieldManager(manager: string, at: FieldPath, errors: FieldErrors): void {
  if (Buffer.byteLength(manager) > managerBytesMax) errors.tooLong(at, managerBytesMax)
  let position = 0
  for (const sign of manager) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(sign)) {
      const code = (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
      errors.invalid(at, manager, `invalid character U+${code} (at position ${position})`)
    }
    position += Buffer.byteLength(sign)
  }
}
