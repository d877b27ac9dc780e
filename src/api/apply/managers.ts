import type { ManagedFieldsEntry } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldSet } from './field-set.ts'
import { canonical, isEmpty } from './field-set.ts'

/** Who owns which fields: a managed fields entry, its fields known to be canonical. Never changes. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  /** RFC 3339; absent when nothing it did changed the object yet. */
  readonly time: string | undefined
  readonly fields: FieldSet
  /** The entry that it was read from; what is unchanged is written back as it was. */
  readonly entry?: Frozen<ManagedFieldsEntry>
}

type Entries = readonly Frozen<ManagedFieldsEntry>[]

/** Reads managed fields; undefined when an entry is not valid, which upstream answers by ignoring them all. */
export function managersOf(entries: Entries | undefined | null): readonly Manager[] | undefined {
  const out: Manager[] = []
  for (const entry of entries ?? []) {
    const manager = readEntry(entry)
    if (!manager) return undefined
    const twin = out.findIndex((other) => sameManager(other, manager))
    if (twin < 0) out.push(manager)
    else out[twin] = manager
  }
  return out
}

/** Sets that were made or found canonical here: copies of an entry share them. */
const canonicals = new WeakSet<object>()

function canonicalFields(fieldsV1: object): FieldSet | undefined {
  if (canonicals.has(fieldsV1)) return fieldsV1 as FieldSet
  const fields = canonical(fieldsV1)
  if (fields) canonicals.add(fields)
  return fields
}

function readEntry(entry: Frozen<ManagedFieldsEntry>): Manager | undefined {
  const { operation, apiVersion, fieldsType, fieldsV1, manager = '', subresource = '', time } = entry
  if ((operation !== 'Apply' && operation !== 'Update') || !apiVersion || fieldsType !== 'FieldsV1') return undefined
  const fields = canonicalFields(fieldsV1 ?? {})
  if (!fields) return undefined
  return { name: manager, operation, apiVersion, subresource, time: time ?? undefined, fields, entry }
}

/** True when two stand for the same entry. An applier keeps its entry when it moves to another version of the API. */
export const sameManager = (a: Manager, b: Manager): boolean =>
  a.name === b.name &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion)

/** Writes managed fields in upstream's order; undefined when nobody owns anything. */
export function entriesOf(managers: readonly Manager[]): ManagedFieldsEntry[] | undefined {
  if (managers.length === 0) return undefined
  const sorted = managers.length === 1 ? managers : [...managers].sort(compareManagers)
  return sorted.map((manager) => (manager.entry ?? writeEntry(manager)) as ManagedFieldsEntry)
}

function writeEntry(manager: Manager): ManagedFieldsEntry {
  const { name, operation, apiVersion, time, fields, subresource } = manager
  const entry: ManagedFieldsEntry = { ...(name && { manager: name }), operation, apiVersion }
  if (time !== undefined) entry.time = time
  entry.fieldsType = 'FieldsV1'
  entry.fieldsV1 = fields as ManagedFieldsEntry['fieldsV1'] & object
  if (subresource) entry.subresource = subresource
  canonicals.add(fields)
  return entry
}

/** A manager with other fields. */
export const withFields = (manager: Manager, fields: FieldSet): Manager =>
  fields === manager.fields
    ? manager
    : {
        name: manager.name,
        operation: manager.operation,
        apiVersion: manager.apiVersion,
        subresource: manager.subresource,
        time: manager.time,
        fields,
      }

/** Those that own something. */
export const owners = (managers: readonly Manager[]): readonly Manager[] =>
  managers.some(({ fields }) => isEmpty(fields)) ? managers.filter(({ fields }) => !isEmpty(fields)) : managers

function compareManagers(a: Manager, b: Manager): number {
  return (
    compare(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compare(a.name, b.name) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  )
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/** Seconds since the epoch; 0 without a time. */
export const secondsOf = (manager: Manager): number =>
  manager.time === undefined ? 0 : Math.floor(Date.parse(manager.time) / 1000)
