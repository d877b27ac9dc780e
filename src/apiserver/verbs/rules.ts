import { invalid } from '../../api/errors/api-error.ts'
import type { Kind, RequestContext } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { equal } from '../../api/validation/equal.ts'
import { FieldErrors } from '../../api/validation/field.ts'
import { validateMetadata, validateMetadataUpdate, validateSubresourceMetadata } from '../../api/validation/metadata.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { fillSystemFields, keepSystemFields } from './metadata.ts'
import { deepClone, shareEqual } from '../../api/schema/values.ts'

/** A new object by its kind's rules: what clients cannot set is set, and what is wrong is refused. Upstream's BeforeCreate. */
export function beforeCreate(kind: Kind, draft: Draft, context: RequestContext): void {
  const { behaviour } = kind
  delete draft.metadata.deletionTimestamp
  delete draft.metadata.deletionGracePeriodSeconds
  if (behaviour.status && !behaviour.keepsStatusOnCreate) dropStatus(draft)
  if (behaviour.generation !== false) draft.metadata.generation = 1
  // Before the kind's own rules: a Job's labels hold its UID.
  fillSystemFields(draft, context.nowMs, context.uuid())
  behaviour.prepareCreate?.(draft, context)
  if (behaviour.initialFinalizers)
    draft.metadata.finalizers = [...new Set([...(draft.metadata.finalizers ?? []), ...behaviour.initialFinalizers])]
  const errors = new FieldErrors()
  const metadataLast = behaviour.metadata?.onCreate === 'last'
  if (!metadataLast) validateMetadata(draft as Frozen<KubernetesObject>, kind, errors)
  behaviour.validate?.(draft as Frozen<KubernetesObject>, errors, context)
  if (metadataLast && errors.empty) validateMetadata(draft as Frozen<KubernetesObject>, kind, errors)
  refuse(kind, draft, errors)
  behaviour.canonicalize?.(draft)
  warn(behaviour.warnings?.(draft as Frozen<KubernetesObject>, undefined, ''), context)
}

/** A changed object by its kind's rules. Upstream's BeforeUpdate. */
export function beforeUpdate(kind: Kind, draft: Draft, old: Frozen<KubernetesObject>, context: RequestContext): Draft {
  const { behaviour } = kind
  const { subresource } = context
  keepSystemFields(draft, old)
  if (subresource === 'status') keepAllButStatus(kind, draft, old)
  // An approval is a condition in the status.
  else if (behaviour.status && subresource !== 'approval') keepStatus(draft, old)
  behaviour.prepareUpdate?.(draft, old, context)
  // What is as it was is the very same in this view: the rules compare much, and most of it did not change.
  let view = shareEqual(old, draft as Frozen<KubernetesObject>)
  if (!keepsGeneration.has(subresource) && behaviour.generation !== false && deservesGeneration(kind, view, old)) {
    const generation = (old.metadata?.generation ?? 0) + 1
    draft.metadata.generation = generation
    view = { ...view, metadata: { ...view.metadata, generation } }
  }
  const errors = new FieldErrors()
  if (subresource === '') validateMetadataUpdate(view, old, kind, errors)
  else validateSubresourceMetadata(view, old, kind, errors)
  if (behaviour.validateUpdate) behaviour.validateUpdate(view, old, errors, context)
  else if (subresource === '') behaviour.validate?.(view, errors, context)
  refuse(kind, draft, errors)
  behaviour.canonicalize?.(draft)
  warn(behaviour.warnings?.(view, old, subresource), context)
  return draft
}

type Parts = Record<string, unknown>

function dropStatus(draft: Draft): void {
  delete (draft as unknown as Parts)['status']
}

function keepStatus(draft: Draft, old: Frozen<KubernetesObject>): void {
  const parts = draft as unknown as Parts
  const { status } = old as unknown as Parts
  if (status === undefined) delete parts['status']
  else parts['status'] = deepClone(status)
}

/** Subresources that never make a new generation. */
const keepsGeneration: ReadonlySet<string> = new Set(['status', 'approval', 'finalize'])

/** Kinds of whose metadata a status update changes nothing, and those that only keep their labels. */
const statusKeepsMetadata: ReadonlySet<string> = new Set([
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
  'servicecidrs.networking.k8s.io',
  'resourceclaims.resource.k8s.io',
  'volumeattachments.storage.k8s.io',
])
const statusKeepsLabels: ReadonlySet<string> = new Set(['deployments.apps'])

function keepMetadata({ resource }: Kind, draft: Draft, old: Frozen<KubernetesObject>): void {
  const name = `${resource.plural}.${resource.group}`
  if (statusKeepsLabels.has(name)) {
    if (old.metadata?.labels) draft.metadata.labels = { ...old.metadata.labels }
    else delete draft.metadata.labels
  }
  if (!statusKeepsMetadata.has(name)) return
  const { managedFields, resourceVersion } = draft.metadata
  draft.metadata = deepClone({ ...old.metadata }) as Draft['metadata']
  if (resourceVersion) draft.metadata.resourceVersion = resourceVersion
  if (managedFields) draft.metadata.managedFields = managedFields
  else delete draft.metadata.managedFields
}

/** Everything but the status and the metadata is as it was. */
function keepAllButStatus(kind: Kind, draft: Draft, old: Frozen<KubernetesObject>): void {
  keepMetadata(kind, draft, old)
  const parts = draft as unknown as Parts
  const before = old as unknown as Parts
  for (const name in parts) if (!statusParts.has(name) && !(name in before)) delete parts[name]
  for (const name in before) if (!statusParts.has(name)) parts[name] = deepClone(before[name])
}

const statusParts: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status'])

function deservesGeneration(
  { behaviour }: Kind,
  draft: Frozen<KubernetesObject>,
  old: Frozen<KubernetesObject>,
): boolean {
  if (typeof behaviour.generation === 'function') return behaviour.generation(draft, old)
  const parts = draft as unknown as Parts
  const before = old as unknown as Parts
  for (const name of new Set([...Object.keys(parts), ...Object.keys(before)])) {
    if (!statusParts.has(name) && !equal(parts[name], before[name])) return true
  }
  return false
}

function refuse(kind: Kind, draft: Draft, errors: FieldErrors): void {
  // The rules are those of the version in which the object is stored.
  const { group, kind: name } = (kind.storedAs?.kind() ?? kind).resource
  if (!errors.empty) throw invalid(group, name, draft.metadata.name ?? '', errors)
}

function warn(texts: readonly string[] | undefined, context: RequestContext): void {
  if (texts) for (const text of texts) context.warn(text)
}
