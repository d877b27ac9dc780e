import type { ManagedFieldsEntry } from '../generated/types/meta-v1.ts'
import { badRequest, internalError } from '../errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import type { StructSchema } from '../schema/schema.ts'
import { timeText } from '../schema/times.ts'
import { checkApplied } from './check-applied.ts'
import type { Conflict } from './conflict.ts'
import { applyConflict, conflictsOf } from './conflict.ts'
import { emptyObject } from './empty.ts'
import { deepEqual } from '../schema/values.ts'
import { fieldSetOf } from './field-set-of.ts'
import { has, sameFields } from './field-set.ts'
import { takenOverFields, withLastApplied } from './last-applied.ts'
import type { Manager } from './managers.ts'
import { entriesOf, managersOf, sameManager } from './managers.ts'
import { mergeApplied } from './merge-applied.ts'
import { prune } from './prune.ts'
import { reconcileWithSchema } from './reconcile-schema.ts'
import type { Convert, FieldFilter } from './settle.ts'
import { changeOf, changesByVersion, settle } from './settle.ts'
import { shapeOf } from './shape.ts'
import { ownedOf, recordUpdate } from './update-managed-fields.ts'

/** An apply patch. */
export interface ApplyPatch {
  readonly schema: StructSchema
  /** The version and kind of the request. */
  readonly apiVersion: string
  readonly kind: string
  /** The stored object in that version; absent when the patch creates it. */
  readonly live: Frozen<KubernetesObject> | undefined
  /** The parsed body. */
  readonly applied: unknown
  /** The `fieldManager` parameter, which apply patches must have. */
  readonly manager: string
  /** Takes over what others own. */
  readonly force: boolean
  readonly subresource: string
  readonly nowMs: number
  /** What the endpoint may not own: see `resetFieldsOf`. */
  readonly resetFields?: FieldFilter | undefined
  /** Needed where a kind is served in several versions. */
  readonly convert?: Convert | undefined
}

/** Who is kubectl, as far as taking over from client-side apply goes. */
const kubectl = 'kubectl'

/** Whose the fields are that objects without managed fields had before the first apply. */
const beforeFirstApply = 'before-first-apply'

/**
 * The object after an apply patch, with its managed fields; it still needs decoding and defaults like one that a client sent. Throws the 409 that names every field
 * in conflict. What is unchanged is shared with `live`.
 */
export function serverSideApply(patch: ApplyPatch): KubernetesObject {
  const applied = checkedPatch(patch)
  const live = patch.live ?? (emptyObject(patch.schema) as Frozen<KubernetesObject>)
  const before = managersBefore(patch, live)
  let outcome = attempt(patch, { live, applied, before, force: patch.force })
  if ('conflicts' in outcome) outcome = takeOver(patch, { live, applied, before }, outcome.conflicts)
  const object = patch.manager === kubectl ? withLastApplied(outcome.object, applied) : outcome.object
  return withManagedFields(object, entriesOf(outcome.managers))
}

interface State {
  readonly live: Frozen<KubernetesObject>
  readonly applied: Frozen<KubernetesObject>
  readonly before: readonly Manager[]
}

type Outcome =
  | { readonly object: Frozen<KubernetesObject>; readonly managers: readonly Manager[] }
  | { readonly conflicts: readonly Conflict[] }

/** The patch as an object of the request's kind. */
function checkedPatch({ schema, apiVersion, kind, applied }: ApplyPatch): Frozen<KubernetesObject> {
  if (typeof applied !== 'object' || applied === null || Array.isArray(applied))
    throw badRequest('error decoding YAML: the apply patch is not an object')
  const object = applied as Frozen<KubernetesObject>
  if (object.apiVersion !== apiVersion || object.kind !== kind)
    throw badRequest(`invalid object type: ${typeText(object)}`)
  if (object.metadata?.managedFields) throw badRequest('metadata.managedFields must be nil')
  checkApplied(
    schema,
    object,
    `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}; ${typeText(object)}`,
  )
  return object
}

const typeText = ({ apiVersion, kind }: Frozen<KubernetesObject>): string =>
  `${apiVersion?.includes('/') ? apiVersion : `/${apiVersion ?? ''}`}, Kind=${kind ?? ''}`

function managersBefore(patch: ApplyPatch, live: Frozen<KubernetesObject>): readonly Manager[] {
  const managers = managersOf(live.metadata?.managedFields)
  if (!managers) throw internalError('failed to decode managed fields')
  if (managers.length > 0) return managers
  return recordUpdate({ ...patch, old: undefined, new: live, manager: beforeFirstApply }, [])
}

function attempt(patch: ApplyPatch, { live, applied, before, force }: State & { readonly force: boolean }): Outcome {
  const { schema, apiVersion, resetFields, convert } = patch
  const shape = shapeOf(schema)
  const reconciled = reconcileWithSchema(before, schema)
  const all = fieldSetOf(shape, applied)
  const given = resetFields ? resetFields(all) : all
  const fresh: Manager = {
    name: patch.manager || 'unknown',
    operation: 'Apply',
    apiVersion,
    subresource: patch.subresource,
    time: undefined,
    fields: ownedOf(given),
  }
  const last = reconciled.find((manager) => sameManager(manager, fresh))
  const applier: Manager = { ...fresh, time: last?.time }
  const others = reconciled.filter((manager) => manager !== last)
  const managers = [...others, applier]
  const merged = mergeApplied(shape, live, applied) as Frozen<KubernetesObject>
  // What nobody owns, such as the name, is kept all the same when it is applied.
  const object = prune({
    merged: { schema, object: merged },
    apiVersion,
    managers: [...others, { ...applier, fields: given }],
    last,
    convert,
  })
  const change = changeOf(schema, live, object, resetFields)
  const settled = settle(
    managers,
    changesByVersion({ apiVersion, change }, { old: live, now: object }, convert, resetFields),
    { applier },
  )
  if (!force && settled.overruled.length > 0) return { conflicts: conflictsOf(settled.overruled) }
  const changed = object !== live && !deepEqual(object, live)
  const done = settled.managers.map((manager) =>
    manager === applier ? finished(applier, last, changed ? timeText(patch.nowMs) : applier.time) : manager,
  )
  return { object: changed ? object : live, managers: done.filter(({ fields }) => Object.keys(fields).length > 0) }
}

/** The applier as it is written: the entry of before, when nothing about it changed. */
function finished(applier: Manager, last: Manager | undefined, time: string | undefined): Manager {
  return last && last.time === time && last.apiVersion === applier.apiVersion && sameFields(last.fields, applier.fields)
    ? last
    : { ...applier, time }
}

/** kubectl overrules what only its own client-side apply had set. */
function takeOver(
  patch: ApplyPatch,
  state: State,
  conflicts: readonly Conflict[],
): Exclude<Outcome, { conflicts: unknown }> {
  const taken = patch.manager === kubectl ? takenOverFields(patch.schema, patch.apiVersion, state.live) : undefined
  const left = taken ? conflicts.filter(({ path }) => !has(taken, path)) : conflicts
  if (left.length > 0) throw applyConflict(left)
  const outcome = attempt(patch, { ...state, force: true })
  if ('conflicts' in outcome) throw applyConflict(outcome.conflicts)
  return outcome
}

/** The object with these managed fields. */
function withManagedFields(
  object: Frozen<KubernetesObject>,
  entries: ManagedFieldsEntry[] | undefined,
): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {}
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata } as KubernetesObject
}

/** The object with the managed fields of the old one, when they differ in nothing but times and the objects in nothing else: then nothing is written at all. */
export function keepTimesWhenUnchanged(old: Frozen<KubernetesObject>, now: KubernetesObject): KubernetesObject {
  const before = old.metadata?.managedFields
  const after = now.metadata?.managedFields
  if (!before || !after || before === after || before.length !== after.length || before.length === 0) return now
  if (
    !after.every(
      (entry, i) => entry === before[i] || deepEqual({ ...entry, time: undefined }, { ...before[i], time: undefined }),
    )
  )
    return now
  const same = deepEqual(
    { ...old, metadata: { ...old.metadata, managedFields: undefined } },
    { ...now, metadata: { ...now.metadata, managedFields: undefined } },
  )
  return same ? withManagedFields(now, before as ManagedFieldsEntry[]) : now
}
