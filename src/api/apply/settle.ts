import type { Frozen, KubernetesObject } from '../resource.ts'
import type { StructSchema } from '../schema/schema.ts'
import { shareEqual } from '../schema/values.ts'
import { emptyObject } from './empty.ts'
import type { FieldSet } from './field-set.ts'
import { difference, intersection, isEmpty, noFields } from './field-set.ts'
import { gainedFields, type Differing } from './gained.ts'
import type { Manager } from './managers.ts'
import { owners, sameManager, withFields } from './managers.ts'
import { newFields } from './new-fields.ts'
import { shapeOf } from './shape.ts'

/** Leaves out of a set what an endpoint may not own. */
export type FieldFilter = (fields: FieldSet) => FieldSet

/** An object in a version of the API, and that version's schema. */
export interface Versioned {
  readonly schema: StructSchema
  readonly object: Frozen<KubernetesObject>
}

/**
 * The object in another version: what entries of kinds that are served in several need, since each names its own version's fields. Undefined when that version does
 * not exist any more; its entries are dropped then.
 */
export type Convert = (object: Frozen<KubernetesObject>, apiVersion: string) => Versioned | undefined

/** What happened between two states of an object. */
export interface Change {
  /** Fields that were added or have another value now. */
  readonly changed: FieldSet
  readonly removed: FieldSet
}

/** The change from `old` to `now`, without what the endpoint may not own. */
export const changeOf = (schema: StructSchema, old: unknown, now: unknown, filter: FieldFilter | undefined): Change =>
  filtered(changeIn(schema, { old, now, differing: true }), filter)

/** The same where `now` is what a client sent, decoded. */
export const sentChangeOf = (
  schema: StructSchema,
  old: unknown,
  now: unknown,
  filter: FieldFilter | undefined,
): Change => filtered(changeIn(schema, { old, now, differing: 'sent' }), filter)

function changeIn(
  schema: StructSchema,
  { old, now, differing }: { readonly old: unknown; readonly now: unknown; readonly differing: Differing },
): Change {
  const shape = shapeOf(schema)
  const created = old === emptyObject(schema)
  // Two walks follow, which look into nothing that is the same.
  const shared = created ? now : shareEqual(old, now)
  const changed = created ? (newFields(shape, old, now) ?? noFields) : gainedFields(shape, old, shared, differing)
  return { changed, removed: gainedFields(shape, shared, old, false) }
}

const filtered = ({ changed, removed }: Change, filter: FieldFilter | undefined): Change =>
  filter ? { changed: filter(changed), removed: filter(removed) } : { changed, removed }

/** Changes by version, worked out when a manager of that version comes up. */
export function changesByVersion(
  base: { readonly apiVersion: string; readonly change: Change },
  between: { readonly old: unknown; readonly now: unknown },
  convert: Convert | undefined,
  filter: FieldFilter | undefined,
): (apiVersion: string) => Change | undefined {
  const known = new Map<string, Change | undefined>([[base.apiVersion, base.change]])
  return (apiVersion) => {
    if (known.has(apiVersion)) return known.get(apiVersion)
    const old = convert?.(between.old as Frozen<KubernetesObject>, apiVersion)
    const now = convert?.(between.now as Frozen<KubernetesObject>, apiVersion)
    const change = old && now ? changeOf(now.schema, old.object, now.object, filter) : undefined
    known.set(apiVersion, change)
    return change
  }
}

/** A manager and the fields of it that somebody else changes. */
export interface Overruled {
  readonly manager: Manager
  readonly fields: FieldSet
}

/** Who is not overruled. */
export interface Exempt {
  /** It is left as it is. */
  readonly applier?: Manager
  /** It keeps what it changes, and loses only what is gone. */
  readonly writer?: Manager
}

/** What is left to the managers after a change, and whom it overrules. */
export function settle(
  managers: readonly Manager[],
  changeIn: (apiVersion: string) => Change | undefined,
  { applier, writer }: Exempt,
): { readonly managers: readonly Manager[]; readonly overruled: readonly Overruled[] } {
  const overruled: Overruled[] = []
  const out: Manager[] = []
  for (const manager of managers) {
    if (manager === applier) {
      out.push(manager)
      continue
    }
    const change = changeIn(manager.apiVersion)
    if (!change) continue
    const keeps = isEmpty(change.changed) || (writer && sameManager(manager, writer))
    const lost = keeps ? noFields : intersection(manager.fields, change.changed)
    if (!isEmpty(lost)) overruled.push({ manager, fields: lost })
    out.push(withFields(manager, difference(difference(manager.fields, lost), change.removed)))
  }
  return { managers: owners(out), overruled }
}
