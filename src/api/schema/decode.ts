import { canonicalQuantity } from '../quantity/quantity.ts'
import { zeroScalar } from './zero.ts'
import { definition } from './builtin.ts'
import { DecodeError } from './decode-error.ts'
import { mismatch, Position } from './position.ts'
import type { Field, ListSchema, MapSchema, ScalarSchema, Schema, StructSchema } from './schema.ts'
import { canonicalMicroTime, canonicalTime } from './times.ts'

/*
 * Decoding is one pass from parsed JSON to a fresh object in upstream's shape: types checked, unknown fields left out (and reported), quantities and times in canonical form,
 * zero values omitted or written as upstream's Go tags say, fields in the order of declaration. Each schema is compiled to closures once.
 *
 * Texts of errors are those of upstream's JSON decoder, since kubectl shows them as they are.
 */

/** What the caller learns besides the object. */
export interface DecodeProblems {
  /** Paths of fields that the schema lacks, at most `unknownMax`. */
  readonly unknown: string[]
}

/** Upstream stops counting strict errors here. */
const unknownMax = 100

/** Checks and converts parsed JSON. Throws a DecodeError; fills `problems` with what was left out. */
export function decode(schema: StructSchema, input: unknown, problems?: DecodeProblems): Record<string, unknown> {
  return decoderOf(schema)(input, new Position({ unknown: problems?.unknown })) as Record<string, unknown>
}

/**
 * The same for what a client sent: lists that it sent empty stay where upstream's JSON leaves them out, since rules tell them from absent ones and managed fields name some.
 * They end where the object is brought into shape for the store, as in upstream's protobuf.
 */
export function decodeSent(schema: StructSchema, input: unknown, problems?: DecodeProblems): Record<string, unknown> {
  return decoderOf(schema)(input, new Position({ unknown: problems?.unknown, asSent: true })) as Record<string, unknown>
}

/**
 * Brings an object that others built or changed into the same shape: order of fields, zero values, canonical forms. What it does not know it leaves out.
 */
export const normalise = (schema: StructSchema, object: object): Record<string, unknown> => decode(schema, object)

/** A part of an object as `normalise` has it. */
export const normalisePart = (schema: Schema, value: unknown): unknown => decoderOf(schema)(value, new Position({}))

/**
 * The same with as little new as possible: what is in shape is not copied, and what was taken over from `old`, which is in shape, is not looked into. So the result
 * shares with both.
 */
export function reshape(schema: StructSchema, object: object, old?: object): Record<string, unknown> {
  const kept = old && new Set<unknown>()
  if (kept) addKept(old as Entries, object as Entries, kept)
  return decoderOf(schema)(object, new Position({ sharing: true, kept })) as Record<string, unknown>
}

type Entries = Readonly<Record<string, unknown>>

/** Adds the containers that the two have in common. */
function addKept(old: Entries, now: Entries, kept: Set<unknown>): void {
  for (const name in now) {
    const value = now[name]
    const before = old[name]
    if (typeof value !== 'object' || value === null || typeof before !== 'object' || before === null) continue
    if (value === before) kept.add(value)
    else addKept(before as Entries, value as Entries, kept)
  }
}

// ---------------------------------------------------------------- compiling

type Decoder = (value: unknown, at: Position) => unknown

const compiled = new WeakMap<Schema, Decoder>()

function decoderOf(schema: Schema): Decoder {
  let decoder = compiled.get(schema)
  if (!decoder) compiled.set(schema, (decoder = compile(schema, goTypeOf(schema))))
  return decoder
}

function compile(schema: Schema, goType: string): Decoder {
  switch (schema.type) {
    case 'struct':
      return schema.decodeWith ? customDecoder(schema.decodeWith, goType) : structDecoder(schema, goType)
    case 'list':
      return listDecoder(schema, goType)
    case 'map':
      return mapDecoder(schema, goType)
    case 'any':
      return anyDecoder(schema)
    default:
      return scalarDecoder(schema.type, goType)
  }
}

/** The Go type of a shape, as error texts name it. */
function goTypeOf(schema: Schema): string {
  switch (schema.type) {
    case 'struct':
      return schema.name.split('.').slice(-2).join('.')
    case 'list':
      return `[]${goTypeOf(schema.items)}`
    case 'map':
      return `map[string]${goTypeOf(schema.values)}`
    default:
      return goScalars[schema.type] ?? schema.type
  }
}

const goScalars: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: '[]uint8',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  quantity: 'resource.Quantity',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
}

interface FieldPlan {
  readonly name: string
  readonly decode: Decoder
  /** What is written for absence; a function where it must be a fresh object; undefined for nothing. */
  readonly absent: unknown
  /** A zero value is written as `absent`, too. */
  readonly zeroIsAbsent: boolean
  /** That it was sent empty is told from that it was not sent. */
  readonly tellsEmpty: boolean
}

function planOf(schema: StructSchema): FieldPlan[] {
  return [...schema.fields.values()].map((field) => ({
    name: field.name,
    decode: field.goType ? compile(field.schema, field.goType) : decoderOf(field.schema),
    absent: absentOf(field),
    zeroIsAbsent:
      !field.pointer &&
      (field.omit === 'empty' ||
        (!schema.keepsEmptyLists && field.schema.type === 'list') ||
        field.schema.type === 'time'),
    tellsEmpty: field.schema.type === 'list' || (field.schema.type === 'map' && schema.tellsEmptyMaps === true),
  }))
}

function absentOf(field: Field): unknown {
  if (field.default !== undefined && (field.pointer || !isZero(field.default))) return field.default
  if (field.omit !== 'never') return undefined
  return field.pointer ? null : zeroOf(field.schema)
}

/** What Go writes for a zero value. */
function zeroOf(schema: Schema): unknown {
  return schema.type === 'struct' ? () => decode(schema, {}) : (zeroScalar(schema.type) ?? null)
}

const zeroNow = (zero: unknown): unknown => (typeof zero === 'function' ? zero() : zero)

/** A struct's fields, compiled. */
interface StructPlan {
  readonly fields: readonly FieldPlan[]
  /** Where a field is in the order of declaration. */
  readonly indexOf: ReadonlyMap<string, number>
  /** The fields that are written even when they are absent, in order. */
  readonly always: readonly number[]
}

function structPlan(schema: StructSchema): StructPlan {
  const fields = planOf(schema)
  const always = fields.flatMap(({ absent }, index) => (absent === undefined ? [] : [index]))
  return { fields, indexOf: new Map(fields.map(({ name }, index) => [name, index])), always }
}

/**
 * Goes by what the input has, since most fields are absent from most objects: finds the fields, brings them into the order of declaration, and writes them
 * and what is never left out in turns.
 */
function structDecoder(schema: StructSchema, goType: string): Decoder {
  const goName = goType.slice(goType.lastIndexOf('.') + 1)
  let plan: StructPlan | undefined
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(at, value, goType)
    if (at.kept?.has(value)) return value
    plan ??= structPlan(schema)
    const input = value as Record<string, unknown>
    const depth = at.depth++
    at.structs[depth] = goName
    const base = at.found.length
    const { unknown, inOrder } = findFields(plan, input, at.found)
    const same = decodeFields(plan, input, { base, depth, at })
    const out = at.sharing && same && inOrder && !unknown ? input : {}
    if (out !== input) writeFields(plan, out, base, at)
    at.found.length = base
    at.depth = depth
    if (unknown && (schema.preserveUnknown || at.unknown)) leftOver(schema, input, { out, at })
    return out
  }
}

/** What was found of a struct's fields. */
interface Found {
  /** The input has others besides. */
  readonly unknown: boolean
  readonly inOrder: boolean
}

const allInOrder: Found = { unknown: false, inOrder: true }
const allMoved: Found = { unknown: false, inOrder: false }
const moreInOrder: Found = { unknown: true, inOrder: true }
const moreMoved: Found = { unknown: true, inOrder: false }

/** Adds the indices of the fields that the input has, ascending. */
function findFields({ indexOf }: StructPlan, input: Record<string, unknown>, found: number[]): Found {
  const base = found.length
  let unknown = false
  let inOrder = true
  for (const name in input) {
    const index = indexOf.get(name)
    if (index === undefined) {
      unknown = true
      continue
    }
    // Most come in order; the others are moved to their places.
    let at = found.length
    found.push(index)
    if (at === base || found[at - 1]! < index) continue
    inOrder = false
    for (; at > base && found[at - 1]! > index; at--) found[at] = found[at - 1]!
    found[at] = index
  }
  if (unknown) return inOrder ? moreInOrder : moreMoved
  return inOrder ? allInOrder : allMoved
}

/** Marks a field that is written as if it were absent. */
const absent = Symbol('absent')

/** Decodes the fields that were found, each into its place in `at.values`; true when they are just what the input has. */
function decodeFields(
  { fields, always }: StructPlan,
  input: Record<string, unknown>,
  { base, depth, at }: { readonly base: number; readonly depth: number; readonly at: Position },
): boolean {
  const end = at.found.length
  let same = true
  let next = 0
  for (let i = base; i < end; i++) {
    const index = at.found[i]!
    if (next < always.length && always[next]! <= index) {
      same &&= always[next] === index
      while (next < always.length && always[next]! <= index) next++
    }
    const field = fields[index]!
    const raw = input[field.name]
    if (raw === undefined || raw === null) {
      at.values[i] = absent
      same &&= raw === null && field.absent === null
      continue
    }
    at.path[depth] = field.name
    const decoded = field.decode(raw, at)
    const written = !field.zeroIsAbsent || !isZero(decoded) || (at.asSent && field.tellsEmpty)
    at.values[i] = written ? decoded : absent
    same &&= written && decoded === raw
  }
  return same && next === always.length
}

/** Writes the fields that were found and those that are never left out, in the order of declaration. */
function writeFields(
  { fields, always }: StructPlan,
  out: Record<string, unknown>,
  base: number,
  { found, values }: Position,
): void {
  const end = found.length
  let next = 0
  for (let i = base; i < end; i++) {
    const index = found[i]!
    for (; next < always.length && always[next]! < index; next++) writeAbsent(fields[always[next]!]!, out)
    if (always[next] === index) next++
    const field = fields[index]!
    const value = values[i]
    if (value !== absent) out[field.name] = value
    else if (field.absent !== undefined) writeAbsent(field, out)
  }
  for (; next < always.length; next++) writeAbsent(fields[always[next]!]!, out)
}

function writeAbsent({ name, absent }: FieldPlan, out: Record<string, unknown>): void {
  out[name] = zeroNow(absent)
}

function customDecoder(decodeWith: NonNullable<StructSchema['decodeWith']>, goType: string): Decoder {
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(at, value, goType)
    return decodeWith(value, at.unknown)
  }
}

function isZero(value: unknown): boolean {
  if (typeof value !== 'object') return value === '' || value === 0 || value === false
  if (value === null) return true
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}

/** Deals with the fields of the input that the schema lacks. */
function leftOver(
  schema: StructSchema,
  input: Record<string, unknown>,
  { out, at }: { out: Record<string, unknown>; at: Position },
): void {
  for (const name of Object.keys(input)) {
    if (input[name] === undefined || schema.fields.has(name)) continue
    if (schema.preserveUnknown) put(out, name, input[name])
    else if (at.unknown!.length < unknownMax) at.unknown!.push(at.strictPath(name))
  }
}

/** Sets a property whose name comes from outside: '__proto__' must not change what the object is. */
function put(out: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(out, name, { value, enumerable: true, writable: true, configurable: true })
  else out[name] = value
}

function listDecoder(schema: ListSchema, goType: string): Decoder {
  const items =
    schema.items.type === 'struct'
      ? decoderOf(schema.items)
      : compile(schema.items, goType.startsWith('[]') ? goType.slice(2) : goTypeOf(schema.items))
  const zero = schema.items.type === 'any' ? null : zeroOf(schema.items)
  return (value, at) => {
    if (!Array.isArray(value)) throw mismatch(at, value, goType)
    if (at.kept?.has(value)) return value
    let out: unknown[] | undefined = at.sharing ? undefined : []
    const depth = at.depth++
    at.structs[depth] = ''
    for (let i = 0; i < value.length; i++) {
      at.path[depth] = i
      const item = value[i] === null ? zeroNow(zero) : items(value[i], at)
      if (!out && item !== value[i]) out = value.slice(0, i)
      out?.push(item)
    }
    at.depth = depth
    return out ?? value
  }
}

function mapDecoder(schema: MapSchema, goType: string): Decoder {
  let values: Decoder | undefined
  const zero = zeroOf(schema.values)
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(at, value, goType)
    if (at.kept?.has(value)) return value
    values ??= decoderOf(schema.values)
    const input = value as Record<string, unknown>
    const out: Record<string, unknown> = {}
    const depth = at.depth++
    at.structs[depth] = ''
    let same = at.sharing
    for (const key of Object.keys(input)) {
      at.path[depth] = key
      const raw = input[key]
      const entry = raw === null || raw === undefined ? zeroNow(zero) : values(raw, at)
      same &&= entry === raw
      put(out, key, entry)
    }
    at.depth = depth
    return same ? input : out
  }
}

// ---------------------------------------------------------------- leaves

function scalarDecoder(type: Exclude<ScalarSchema['type'], 'any'>, goType: string): Decoder {
  switch (type) {
    case 'string':
      return (value, at) => {
        if (typeof value !== 'string') throw mismatch(at, value, goType)
        return value
      }
    case 'boolean':
      return (value, at) => {
        if (typeof value !== 'boolean') throw mismatch(at, value, goType)
        return value
      }
    case 'int32':
      return (value, at) => {
        if (typeof value !== 'number' || (value | 0) !== value) throw mismatch(at, value, goType)
        return value | 0
      }
    case 'int64':
      return (value, at) => {
        if (typeof value !== 'number' || !Number.isInteger(value) || value < -(2 ** 63) || value > 2 ** 63)
          throw mismatch(at, value, goType)
        return value + 0
      }
    case 'double':
      return (value, at) => {
        if (typeof value !== 'number') throw mismatch(at, value, goType)
        return value
      }
    case 'bytes':
      return (value, at) => {
        if (typeof value !== 'string') throw mismatch(at, value, '[]uint8')
        return canonicalBase64(value)
      }
    case 'quantity':
      return quantityFrom
    case 'intOrString':
      return (value, at) => {
        if (typeof value === 'string') return value
        if (typeof value !== 'number' || (value | 0) !== value) throw mismatch(at, value, 'int32')
        return value
      }
    case 'time':
      return timeDecoder(canonicalTime)
    case 'microTime':
      return timeDecoder(canonicalMicroTime)
  }
}

function timeDecoder(canonical: (text: string) => string | null): Decoder {
  return (value, at) => {
    if (typeof value !== 'string') throw mismatch(at, value, 'string')
    try {
      return canonical(value)
    } catch (error) {
      throw new DecodeError((error as Error).message)
    }
  }
}

function quantityFrom(value: unknown): unknown {
  const text =
    typeof value === 'string' ? value.trim() : typeof value === 'number' ? plainNumber(value) : JSON.stringify(value)
  try {
    return canonicalQuantity(text)
  } catch (error) {
    throw new DecodeError((error as Error).message)
  }
}

/** A number as digits: JavaScript writes large and small ones with an exponent that quantities do not know ('1e+21'). */
const plainNumber = (value: number): string => String(value).replace('e+', 'e')

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** What may stand before padding when no bit is lost. */
const cleanEnd = /(?:[AQgw]==|[AEIMQUYcgkosw048]=|[^=])$/

function canonicalBase64(text: string): string {
  if (text === '') return text
  const compact = text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text
  if (!base64.test(compact)) throw new DecodeError(`illegal base64 data at input byte ${badBase64At(text)}`)
  return cleanEnd.test(compact) ? compact : Buffer.from(compact, 'base64').toString('base64')
}

/** Where Go's decoder would stop. */
function badBase64At(text: string): number {
  const bad = text.search(/[^A-Za-z0-9+/=\r\n]/)
  const padding = text.indexOf('=')
  if (bad >= 0 && (padding < 0 || bad < padding)) return bad
  if (padding < 0) return text.length - (text.length % 4)
  const inside = padding % 4
  if (inside < 2) return padding
  return inside === 2 && text[padding + 1] !== '=' ? padding + 1 : padding + (inside === 2 ? 2 : 1)
}

/** JSON of any shape stays as it is; the unions of CRD schemas are decoded by what they find. */
function anyDecoder(schema: ScalarSchema): Decoder {
  const form = schema.form
  if (form !== 'schemaOrArray' && form !== 'schemaOrBool' && form !== 'schemaOrStrings') return (value) => value
  const props = () => definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  return (value, at) => {
    if (form === 'schemaOrBool' && typeof value === 'boolean') return value
    if (form === 'schemaOrStrings' && Array.isArray(value))
      return listDecoder({ type: 'list', items: { type: 'string' } }, '[]string')(value, at)
    if (form === 'schemaOrArray' && Array.isArray(value)) return value.map((item) => withoutReport(props(), item, at))
    if (typeof value !== 'object' || Array.isArray(value)) throw unionMismatch(form)
    return withoutReport(props(), value, at)
  }
}

/** Upstream decodes these parts by themselves, so that unknown fields in them are dropped without a word. */
const withoutReport = (schema: StructSchema, value: unknown, { asSent }: Position): unknown =>
  decoderOf(schema)(value ?? {}, new Position({ asSent }))

function unionMismatch(form: 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStrings'): DecodeError {
  if (form === 'schemaOrBool') return new DecodeError('boolean or JSON schema expected')
  return new DecodeError(
    form === 'schemaOrStrings'
      ? 'json: cannot unmarshal into Go value of type v1.JSONSchemaPropsOrStringArray'
      : 'json: cannot unmarshal into Go value of type v1.JSONSchemaPropsOrArray',
  )
}
