import protobuf from 'protobufjs/minimal.js'
import { definition } from '../../schema/builtin.ts'
import { normalise } from '../../schema/decode.ts'
import type { ScalarSchema, Schema, StructSchema } from '../../schema/schema.ts'
import { depthMax } from '../json.ts'

/*
 * From protobuf's bytes to the JSON shape: first values under their JSON names, then the same pass as for JSON, so that order, zero values and canonical forms are alike.
 */

type Reader = protobuf.Reader
type Json = Record<string, unknown>
/** Reads a field's value after its tag and puts it where it belongs. */
type ReadField = (reader: Reader, wireType: number, out: Json, depth: number) => void
/** Reads one value after its tag. */
type ReadValue = (reader: Reader, depth: number) => unknown

/** The bytes are not the message they should be. */
export class ProtobufError extends Error {
  override name = 'ProtobufError'
}

/** The object of a message, without apiVersion and kind. Throws a ProtobufError, or the decoder's DecodeError when values are wrong. */
export function decodeMessage(schema: StructSchema, bytes: Uint8Array): Json {
  return normalise(schema, parseMessage(schema, bytes))
}

/** The values of a message as they are, in no particular order. */
export function parseMessage(schema: StructSchema, bytes: Uint8Array): Json {
  const reader = protobuf.Reader.create(bytes)
  const out: Json = {}
  try {
    planOf(schema).read(reader, reader.len, out, 0)
  } catch (error) {
    if (error instanceof ProtobufError) throw error
    throw new ProtobufError(`proto: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return out
}

/** How the fields of a message are read. */
class Plan {
  /** By their numbers; what is not here is skipped. */
  readonly fields: (ReadField | undefined)[] = []

  /** Puts the fields up to a position into an object. */
  read(reader: Reader, end: number, out: Json, depth: number): void {
    if (depth > depthMax) throw new ProtobufError('proto: exceeded max depth')
    if (end > reader.len) throw new ProtobufError('unexpected EOF')
    const { fields } = this
    while (reader.pos < end) {
      const tag = reader.uint32()
      const read = fields[tag >>> 3]
      if (read) read(reader, tag & 7, out, depth)
      else reader.skipType(tag & 7, 0, tag >>> 3)
    }
  }

  /** Reads a message inside another, at whose beginning its length stands. */
  readInner(reader: Reader, out: Json, depth: number): void {
    this.read(reader, reader.uint32() + reader.pos, out, depth + 1)
  }
}

const plans = new WeakMap<StructSchema, Plan>()

function planOf(schema: StructSchema): Plan {
  let plan = plans.get(schema)
  if (plan) return plan
  plan = new Plan()
  plans.set(schema, plan)
  const inner = new Map<string, Plan>([['', plan]])
  for (const field of schema.fields.values()) {
    if (field.protobuf === undefined) continue
    let path = ''
    let target = plan
    for (const number of field.protobufIn ?? []) {
      path += `.${number}`
      const known = inner.get(path)
      const next = known ?? new Plan()
      if (!known) {
        inner.set(path, next)
        // An embedded message's fields are the object's own.
        target.fields[number] = (reader, _, out, depth) => next.readInner(reader, out, depth)
      }
      target = next
    }
    target.fields[field.protobuf] = fieldReader(field.name, field.schema)
  }
  return plan
}

function fieldReader(name: string, schema: Schema): ReadField {
  if (schema.type === 'list') {
    const read = valueReader(schema.items)
    const packable = schema.items.type === 'int32' || schema.items.type === 'int64' || schema.items.type === 'boolean'
    return (reader, wireType, out, depth) => {
      const list = (out[name] ??= []) as unknown[]
      if (packable && wireType === 2) {
        const end = reader.uint32() + reader.pos
        while (reader.pos < end) list.push(read(reader, depth))
      } else {
        list.push(read(reader, depth))
      }
    }
  }
  if (schema.type === 'map') return mapReader(name, schema.values)
  const read = valueReader(schema)
  return (reader, _, out, depth) => {
    out[name] = read(reader, depth)
  }
}

function mapReader(name: string, values: Schema): ReadField {
  let read: ReadValue | undefined
  return (reader, _, out, depth) => {
    read ??= valueReader(values)
    const map = (out[name] ??= {}) as Json
    const end = reader.uint32() + reader.pos
    let key = ''
    let value: unknown = null
    while (reader.pos < end) {
      const tag = reader.uint32()
      if (tag >>> 3 === 1) key = reader.string()
      else if (tag >>> 3 === 2) value = read(reader, depth + 1)
      else reader.skipType(tag & 7, 0, tag >>> 3)
    }
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
  }
}

/** Integers beyond 2^53 lose precision, as they do in JSON here. */
const int64 = (reader: Reader): number => Number(reader.int64().toString())

function valueReader(schema: Schema): ReadValue {
  switch (schema.type) {
    case 'string':
      return (reader) => reader.string()
    case 'bytes':
      return (reader) => Buffer.from(reader.bytes()).toString('base64')
    case 'boolean':
      return (reader) => reader.bool()
    case 'int32':
      return (reader) => reader.int32()
    case 'int64':
      return int64
    case 'double':
      return (reader) => reader.double()
    case 'struct':
      return (reader, depth) => {
        const out: Json = {}
        planOf(schema).readInner(reader, out, depth)
        return out
      }
    case 'list': {
      const wrapped = new Plan()
      wrapped.fields[1] = fieldReader('items', schema)
      return (reader, depth) => {
        const out: Json = {}
        wrapped.readInner(reader, out, depth)
        return out['items'] ?? []
      }
    }
    case 'map':
      throw new Error('protobuf has no maps in maps or lists')
    default:
      return messageReader(schema)
  }
}

/** What is a message in protobuf and a scalar in JSON. */
function messageReader(schema: ScalarSchema): ReadValue {
  const fields = messageFields(schema)
  return (reader, depth) => {
    const out: Json = {}
    fields.plan().readInner(reader, out, depth)
    return fields.value(out)
  }
}

function messageFields(schema: ScalarSchema): { plan: () => Plan; value: (found: Json) => unknown } {
  const plan = (...fields: [number, string, Schema][]) => {
    let made: Plan | undefined
    return () => {
      if (made) return made
      made = new Plan()
      for (const [number, name, type] of fields) made.fields[number] = fieldReader(name, type)
      return made
    }
  }
  const int: Schema = { type: 'int64' }
  switch (schema.type) {
    case 'quantity':
      return { plan: plan([1, 'text', { type: 'string' }]), value: (found) => found['text'] || '0' }
    case 'intOrString':
      return {
        plan: plan([1, 'type', int], [2, 'int', { type: 'int32' }], [3, 'text', { type: 'string' }]),
        value: (found) => (found['type'] === 1 ? (found['text'] ?? '') : (found['int'] ?? 0)),
      }
    case 'time':
    case 'microTime':
      return {
        plan: plan([1, 'seconds', int], [2, 'nanos', int]),
        value: (found) => timeText(found, schema.type === 'microTime'),
      }
    default:
      return anyFields(schema, plan)
  }
}

function timeText(found: Json, micro: boolean): string | null {
  if (found['seconds'] === undefined && found['nanos'] === undefined) return null
  const date = new Date(Number(found['seconds'] ?? 0) * 1000)
  if (Number.isNaN(date.getTime())) throw new ProtobufError('proto: time out of range')
  const text = date.toISOString().slice(0, -5)
  return micro ? `${text}.${String(Math.floor(Number(found['nanos'] ?? 0) / 1000)).padStart(6, '0')}Z` : `${text}Z`
}

function anyFields(
  schema: ScalarSchema,
  plan: (...fields: [number, string, Schema][]) => () => Plan,
): { plan: () => Plan; value: (found: Json) => unknown } {
  const props = definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  switch (schema.form) {
    case 'schemaOrBool':
      return {
        plan: plan([1, 'allows', { type: 'boolean' }], [2, 'schema', props]),
        value: (found) => found['schema'] ?? found['allows'] ?? false,
      }
    case 'schemaOrArray':
      return {
        plan: plan([1, 'schema', props], [2, 'list', { type: 'list', items: props }]),
        value: (found) => found['list'] ?? found['schema'] ?? null,
      }
    case 'schemaOrStrings':
      return {
        plan: plan([1, 'schema', props], [2, 'list', { type: 'list', items: { type: 'string' } }]),
        value: (found) => found['list'] ?? found['schema'] ?? null,
      }
    default:
      return { plan: plan([1, 'raw', { type: 'bytes' }]), value: (found) => jsonOf(found['raw'] as string | undefined) }
  }
}

function jsonOf(base64: string | undefined): unknown {
  if (!base64) return null
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))
  } catch (error) {
    throw new ProtobufError('proto: an embedded object is not JSON', { cause: error })
  }
}
