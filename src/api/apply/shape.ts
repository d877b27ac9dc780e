import type { ListSchema, Schema, StructSchema } from '../schema/schema.ts'
import { normalisePart } from '../schema/decode.ts'
import { stepJson, valueStep } from './path-element.ts'

/**
 * Schemas as merging sees them: whether a value is one leaf or has parts of its own, and how the parts are named. Worked out once a schema.
 */
export type Shape = LeafShape | IgnoredShape | ListShape | MapShape | StructShape | AnyShape

/** Owned as a whole: scalars, atomic lists, maps and structs. */
interface LeafShape {
  readonly kind: 'leaf'
  /** Leaves out what JSON leaves out, where a client may have sent it all the same: empty lists further inside. */
  readonly json?: (value: unknown) => unknown
}

/** The managed fields themselves: they are never compared. */
interface IgnoredShape {
  readonly kind: 'ignored'
}

/** A list whose elements are owned one by one: by their keys, or as the scalars of a set. */
export interface ListShape {
  readonly kind: 'list'
  readonly keys: readonly ListKey[] | undefined
  readonly items: () => Shape
}

/** A key of list elements, with what an element without it has. */
export interface ListKey {
  readonly name: string
  readonly absent: unknown
}

interface MapShape {
  readonly kind: 'map'
  readonly values: () => Shape
}

/** The fields of a struct, as merging looks at them. */
export interface StructShape {
  readonly kind: 'struct'
  readonly fields: ReadonlyMap<string, PartShape>
  /** Fields that the schema does not name are kept. */
  readonly open: boolean
}

/** A field of a struct. */
interface PartShape {
  readonly name: string
  /** `f:name`. */
  readonly step: string
  /** The place of the step among its siblings. */
  readonly rank: number
  /** A list that upstream's JSON leaves out when it is empty, so that nobody owns it then. */
  readonly omitsEmpty: boolean
  readonly shape: () => Shape
}

/** JSON of any shape: maps have parts, all else is a leaf. */
export interface AnyShape {
  readonly kind: 'any'
}

const leafShape: LeafShape = { kind: 'leaf' }
const ignoredShape: IgnoredShape = { kind: 'ignored' }
/** The shape of free-form JSON. */
export const anyShape: AnyShape = { kind: 'any' }

const shapes = new WeakMap<Schema, Shape>()

/** The shape of a schema. */
export function shapeOf(schema: Schema): Shape {
  let shape = shapes.get(schema)
  if (!shape) shapes.set(schema, (shape = makeShape(schema)))
  return shape
}

function makeShape(schema: Schema): Shape {
  switch (schema.type) {
    case 'struct':
      return structShape(schema)
    case 'map':
      return schema.atomic ? leafShape : { kind: 'map', values: once(schema.values) }
    case 'list':
      return listShape(schema)
    case 'any':
      // Upstream owns the raw objects of built-in kinds as a whole; free-form parts of custom objects have parts.
      return schema.form === undefined ? anyShape : leafShape
    default:
      return leafShape
  }
}

function structShape(schema: StructSchema): Shape {
  if (schema.atomic) return wholeOf(schema)
  const names = [...schema.fields.keys()].sort((a, b) => (a < b ? -1 : 1))
  const fields = new Map<string, PartShape>()
  const isMeta = schema.name.endsWith('.ObjectMeta')
  names.forEach((name, rank) => {
    const { schema: inner, omit } = schema.fields.get(name)!
    const shape = isMeta && name === 'managedFields' ? () => ignoredShape : once(inner)
    fields.set(name, { name, step: `f:${name}`, rank, omitsEmpty: inner.type === 'list' && omit === 'empty', shape })
  })
  return { kind: 'struct', fields, open: schema.preserveUnknown === true || schema.embedded === true }
}

/** Of what is owned as a whole. Objects of custom kinds are JSON as they are. */
function wholeOf(schema: StructSchema | ListSchema): LeafShape {
  const struct = schema.type === 'struct' ? schema : schema.items
  return struct.type === 'struct' && struct.name !== ''
    ? { kind: 'leaf', json: (value) => normalisePart(schema, value) }
    : leafShape
}

function listShape(schema: ListSchema): Shape {
  if (schema.listType !== 'map' && schema.listType !== 'set')
    return schema.items.type === 'struct' ? wholeOf(schema) : leafShape
  if (schema.listType === 'set') return { kind: 'list', keys: undefined, items: once(schema.items) }
  const items = schema.items.type === 'struct' ? schema.items : undefined
  const keys = [...(schema.listMapKeys ?? [])].sort().map((name) => ({ name, absent: absentKey(items, name) }))
  return { kind: 'list', keys, items: once(schema.items) }
}

/** Schemas may contain themselves, so what is inside is looked at only when asked for. */
function once(schema: Schema): () => Shape {
  let shape: Shape | undefined
  return () => (shape ??= shapeOf(schema))
}

/** What upstream's schema says of elements without a key: the declared default, else the zero value of what is always written. */
function absentKey(items: StructSchema | undefined, name: string): unknown {
  const field = items?.fields.get(name)
  if (!items || !field) return undefined
  if (field.default !== undefined) return field.default
  if (field.omit !== 'never' || field.pointer) return undefined
  return field.schema.type === 'string'
    ? ''
    : field.schema.type === 'int32' || field.schema.type === 'int64'
      ? 0
      : undefined
}

/** The step to an element of a list. */
export function elementStep(list: ListShape, item: unknown): string {
  if (!list.keys) return valueStep(item)
  let out = ''
  for (const { name, absent } of list.keys) {
    const value = (item as Record<string, unknown> | null)?.[name] ?? absent
    if (value !== undefined) out += `${out && ','}"${name}":${stepJson(value)}`
  }
  return `k:{${out}}`
}

/** True when two elements of a list have the same step. */
function sameElement(list: ListShape, left: unknown, right: unknown): boolean {
  if (!list.keys) return left === right
  for (const { name, absent } of list.keys) {
    if (
      ((left as Record<string, unknown> | null)?.[name] ?? absent) !==
      ((right as Record<string, unknown> | null)?.[name] ?? absent)
    )
      return false
  }
  return true
}

/** Lists up to this long are compared pair by pair; beyond it, looking for duplicates by pairs would take too long. */
const pairsMax = 32

/** The usual case of two lists: the same elements in the same order, none of them twice. Then nothing need be looked up. */
export function pairUp(list: ListShape, left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length || left.length > pairsMax) return false
  for (let i = 0; i < right.length; i++) {
    if (left[i] !== right[i] && !sameElement(list, left[i], right[i])) return false
    for (let j = 0; j < i; j++) if (sameElement(list, right[i], right[j])) return false
  }
  return true
}
