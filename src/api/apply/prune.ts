import type { Frozen, KubernetesObject } from '../resource.ts'
import type { FieldSet } from './field-set.ts'
import { difference, intersection, isEmpty, union } from './field-set.ts'
import { fieldSetOf } from './field-set-of.ts'
import type { Manager } from './managers.ts'
import { removeFields, withNamedFields } from './remove-fields.ts'
import type { Convert, Versioned } from './settle.ts'
import { shapeOf } from './shape.ts'

/** What is pruned after a merge. */
export interface Pruning {
  readonly merged: Versioned
  readonly apiVersion: string
  /** All managers, the applier with what it applies now. */
  readonly managers: readonly Manager[]
  /** The applier as it was after its last apply. */
  readonly last: Manager | undefined
  readonly convert: Convert | undefined
}

/** Removes what the applier applied the last time, does not apply now, and nobody else owns. */
export function prune({ merged, apiVersion, managers, last, convert }: Pruning): Frozen<KubernetesObject> {
  if (!last || isEmpty(last.fields)) return merged.object
  // Nothing was given up, as with most applies.
  if (
    last.apiVersion === apiVersion &&
    managers.every((manager) => manager.apiVersion === apiVersion) &&
    isEmpty(difference(last.fields, ownedBy(managers)))
  )
    return merged.object
  const base = last.apiVersion === apiVersion ? merged : convert?.(merged.object, last.apiVersion)
  if (!base) return merged.object
  const shape = shapeOf(base.schema)
  const lastNamed = withNamedFields(shape, last.fields)
  let pruned = removeFields(shape, base.object, lastNamed) as Frozen<KubernetesObject>
  for (const version of versionsOf(managers, last.apiVersion))
    pruned = addBackOwned(base, pruned, { version, from: last.apiVersion, managers, convert })
  const all = withNamedFields(shape, fieldSetOf(shape, base.object))
  const kept = withNamedFields(shape, fieldSetOf(shape, pruned))
  const result = removeFields(
    shape,
    base.object,
    intersection(difference(all, kept), lastNamed),
  ) as Frozen<KubernetesObject>
  if (base === merged) return result
  return convert?.(result, apiVersion)?.object ?? merged.object
}

const ownedBy = (managers: readonly Manager[]): FieldSet =>
  managers.reduce<FieldSet>((fields, manager) => union(fields, manager.fields), {})

/** The versions in which something is owned; the one that was applied last first. */
function versionsOf(managers: readonly Manager[], first: string): readonly string[] {
  const versions = new Set(managers.map(({ apiVersion }) => apiVersion))
  return versions.delete(first) ? [first, ...versions] : [...versions]
}

/** What was removed too much: fields that somebody owns in this version. */
function addBackOwned(
  base: Versioned,
  pruned: Frozen<KubernetesObject>,
  at: { version: string; from: string; managers: readonly Manager[]; convert: Convert | undefined },
): Frozen<KubernetesObject> {
  const same = at.version === at.from
  const whole = same ? base : at.convert?.(base.object, at.version)
  const part = same ? pruned : at.convert?.(pruned, at.version)?.object
  if (!whole || !part) return pruned
  const shape = shapeOf(whole.schema)
  const owned = withNamedFields(shape, ownedBy(at.managers.filter(({ apiVersion }) => apiVersion === at.version)))
  const all = withNamedFields(shape, fieldSetOf(shape, whole.object))
  const kept = withNamedFields(shape, fieldSetOf(shape, part))
  const result = removeFields(shape, whole.object, difference(all, union(kept, owned))) as Frozen<KubernetesObject>
  return same ? result : (at.convert?.(result, at.from)?.object ?? pruned)
}
