import type { ManagedFieldsEntry } from '../generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import type { StructSchema } from '../schema/schema.ts'
import { timeText } from '../schema/times.ts'
import { capManagers } from './cap-managers.ts'
import { emptyObject } from './empty.ts'
import type { FieldSet } from './field-set.ts'
import { difference, isEmpty, setOf, union } from './field-set.ts'
import { entriesOf, managersOf, sameManager } from './managers.ts'
import type { Manager } from './managers.ts'
import { reconcileWithSchema } from './reconcile-schema.ts'
import type { Convert, FieldFilter } from './settle.ts'
import { changesByVersion, sentChangeOf, settle } from './settle.ts'

/** A create, an update, or a patch that is not an apply patch, after defaults and before admission. */
export interface ManagedUpdate {
  readonly schema: StructSchema
  /** The version of the request: 'apps/v1'. */
  readonly apiVersion: string
  /** The stored object in that version; absent on creation. */
  readonly old: Frozen<KubernetesObject> | undefined
  /** The object that is about to be stored, in that version. Its managed fields are what the client sent. */
  readonly new: Frozen<KubernetesObject>
  /** Who writes: see `managerOf`. */
  readonly manager: string
  /** '' for the object itself. */
  readonly subresource: string
  readonly nowMs: number
  /** What the endpoint may not own: see `resetFieldsOf`. */
  readonly resetFields?: FieldFilter | undefined
  /** Needed where a kind is served in several versions. */
  readonly convert?: Convert | undefined
}

/** Fields that nobody owns. */
const unowned = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
)

const owned = new WeakMap<FieldSet, FieldSet>()

/** A set without the fields that nobody owns; remembered, since the sets of what is created or applied come again and again. */
export function ownedOf(fields: FieldSet): FieldSet {
  let set = owned.get(fields)
  if (!set) owned.set(fields, (set = difference(fields, unowned)))
  return set
}

/**
 * The managed fields of the object after an update: the writer owns what it changed, everyone else loses that and what is gone. A write that changes nothing keeps
 * every time. Undefined when nobody owns anything.
 */
export function updateManagedFields(update: ManagedUpdate): ManagedFieldsEntry[] | undefined {
  const managers = managersBefore(update)
  // Objects that lost their managed fields, by a reset, are not tracked again before somebody applies.
  if (update.old && managers.length === 0) return undefined
  return entriesOf(recordUpdate(update, managers))
}

/** The managers after an update by one of them. */
export function recordUpdate(update: ManagedUpdate, before: readonly Manager[]): readonly Manager[] {
  const { schema, apiVersion, resetFields, convert } = update
  const old = update.old ?? emptyObject(schema)
  const change = sentChangeOf(schema, old, update.new, resetFields)
  const changeIn = changesByVersion({ apiVersion, change }, { old, now: update.new }, convert, resetFields)
  const fields = update.old ? difference(change.changed, unowned) : ownedOf(change.changed)
  const writer: Manager = {
    name: update.manager || 'unknown',
    operation: 'Update',
    apiVersion,
    subresource: update.subresource,
    time: timeText(update.nowMs),
    fields,
  }
  const { managers } = settle(reconcileWithSchema(before, schema), changeIn, { writer })
  return capManagers(isEmpty(writer.fields) ? managers : withWriter(managers, writer))
}

/** The managers with what the writer owns now beside what it owned before. */
function withWriter(managers: readonly Manager[], writer: Manager): readonly Manager[] {
  const at = managers.findIndex((manager) => sameManager(manager, writer))
  if (at < 0) return [...managers, writer]
  return managers.with(at, { ...writer, fields: union(managers[at]!.fields, writer.fields) })
}

/**
 * The managers before the update. Clients may rewrite them along with the object, and `[{}]` or `[]` drops them all; what is absent or not valid counts as not sent,
 * so that clients that do not know them do not drop them. Subresources cannot change them.
 */
function managersBefore({ old, new: now, subresource }: ManagedUpdate): readonly Manager[] {
  const stored = () => managersOf(old?.metadata?.managedFields) ?? []
  const sent = now.metadata?.managedFields
  if (subresource !== '') return stored()
  if (!sent) return stored()
  if (isReset(sent)) return []
  const managers = managersOf(sent)
  return managers && managers.length > 0 ? managers : stored()
}

/** True when what is not decoded yet has an empty list of managed fields: decoding leaves no trace of it, so that it has to be put back. */
export function clearsManagedFields(body: unknown): boolean {
  const fields = (body as { metadata?: { managedFields?: unknown } | null } | null)?.metadata?.managedFields
  return Array.isArray(fields) && fields.length === 0
}

const isReset = (entries: readonly Frozen<ManagedFieldsEntry>[]): boolean =>
  entries.length === 0 ||
  (entries.length === 1 && Object.values(entries[0]!).every((value) => value === undefined || value === ''))
