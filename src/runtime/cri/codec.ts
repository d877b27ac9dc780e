import protobuf from 'protobufjs/minimal.js'
import { enums, messages } from './generated/cri.ts'

/** A message as it is given to be sent: what is left out has its default. */
export type Init<T> = T extends Uint8Array | string | number | boolean
  ? T
  : T extends (infer Item)[]
    ? readonly Init<Item>[]
    : { readonly [Key in keyof T]?: Init<T[Key]> | undefined }

type Row = readonly [id: number, name: string, type: string, rule?: string]
type Values = Record<string, unknown>

const { Reader, Writer } = protobuf

/** What reading one message needs, made once. */
interface Plan {
  readonly byId: Map<number, Row>
  readonly rows: readonly Row[]
}

const tables: Readonly<Record<string, readonly Row[]>> = messages
const numbers: Readonly<Record<string, Readonly<Record<string, number>>>> = enums
const plans = new Map<string, Plan>()

function planOf(type: string): Plan {
  let plan = plans.get(type)
  if (!plan) plans.set(type, (plan = { rows: tables[type]!, byId: new Map(tables[type]!.map((row) => [row[0], row])) }))
  return plan
}

/** Encodes a message of the CRI. Fields with their default value are left out, as proto3 does. */
export function encode(type: string, value: object): Uint8Array {
  return writeMessage(new Writer(), type, value as Values).finish()
}

/** Decodes a message of the CRI: every scalar, list and map is there; a message only when it was sent. 64-bit numbers become numbers. */
export function decode(type: string, bytes: Uint8Array): unknown {
  const reader = Reader.create(bytes)
  return readMessage(reader, type, reader.len)
}

function writeMessage(writer: protobuf.Writer, type: string, value: Values): protobuf.Writer {
  for (const [id, name, fieldType, rule] of planOf(type).rows) {
    const field = value[name]
    if (field === undefined || field === null) continue
    if (rule === 'map') {
      for (const [key, item] of Object.entries(field as Values)) {
        writer
          .uint32((id << 3) | 2)
          .fork()
          .uint32(10)
          .string(key)
        writeField(writer, 2, fieldType, item)
        writer.ldelim()
      }
    } else if (rule === 'list') {
      writeList(writer, id, fieldType, field as readonly unknown[])
    } else if (tables[fieldType] || !isDefault(fieldType, field)) {
      writeField(writer, id, fieldType, field)
    }
  }
  return writer
}

const isDefault = (type: string, value: unknown) =>
  value instanceof Uint8Array ? value.length === 0 : !value || numbers[type]?.[value as string] === 0

/** Lists of numbers are packed, as proto3 has them. */
function writeList(writer: protobuf.Writer, id: number, type: string, items: readonly unknown[]): void {
  if (items.length === 0) return
  if (tables[type] || type === 'string' || type === 'bytes') {
    for (const item of items) writeField(writer, id, type, item)
    return
  }
  writer.uint32((id << 3) | 2).fork()
  for (const item of items) writeScalar(writer, type, item)
  writer.ldelim()
}

function writeField(writer: protobuf.Writer, id: number, type: string, value: unknown): void {
  if (tables[type]) {
    writeMessage(writer.uint32((id << 3) | 2).fork(), type, value as Values).ldelim()
    return
  }
  writer.uint32((id << 3) | (type === 'string' || type === 'bytes' ? 2 : type === 'double' ? 1 : 0))
  writeScalar(writer, type, value)
}

function writeScalar(writer: protobuf.Writer, type: string, value: unknown): void {
  switch (type) {
    case 'string':
      writer.string(value as string)
      break
    case 'bytes':
      writer.bytes(value as Uint8Array)
      break
    case 'bool':
      writer.bool(value as boolean)
      break
    case 'double':
      writer.double(value as number)
      break
    case 'int32':
      writer.int32(value as number)
      break
    case 'uint32':
      writer.uint32(value as number)
      break
    case 'int64':
      writer.int64(Math.trunc(value as number))
      break
    case 'uint64':
      writer.uint64(Math.trunc(value as number))
      break
    default:
      writer.int32(numbers[type]![value as string] ?? 0)
  }
}

function readMessage(reader: protobuf.Reader, type: string, end: number): Values {
  const { rows, byId } = planOf(type)
  const out: Values = {}
  for (const [, name, fieldType, rule] of rows) {
    if (rule === 'list') out[name] = []
    else if (rule === 'map') out[name] = {}
    else if (!tables[fieldType]) out[name] = defaultOf(fieldType)
  }
  while (reader.pos < end) {
    const tag = reader.uint32()
    const row = byId.get(tag >>> 3)
    if (!row) {
      reader.skipType(tag & 7)
      continue
    }
    const [, name, fieldType, rule] = row
    if (rule === 'map') {
      const [key, item] = readEntry(reader, fieldType)
      ;(out[name] as Values)[key] = item
    } else if (rule === 'list') {
      readItems(reader, fieldType, tag & 7, out[name] as unknown[])
    } else {
      out[name] = readValue(reader, fieldType)
    }
  }
  return out
}

function readItems(reader: protobuf.Reader, type: string, wireType: number, into: unknown[]): void {
  const packed = wireType === 2 && !tables[type] && type !== 'string' && type !== 'bytes'
  if (!packed) return void into.push(readValue(reader, type))
  const end = reader.uint32() + reader.pos
  while (reader.pos < end) into.push(readValue(reader, type))
}

function readEntry(reader: protobuf.Reader, type: string): [string, unknown] {
  const end = reader.uint32() + reader.pos
  let key = ''
  let value: unknown = tables[type] ? {} : defaultOf(type)
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) key = reader.string()
    else if (tag >>> 3 === 2) value = readValue(reader, type)
    else reader.skipType(tag & 7)
  }
  return [key, value]
}

function readValue(reader: protobuf.Reader, type: string): unknown {
  if (tables[type]) return readMessage(reader, type, reader.uint32() + reader.pos)
  switch (type) {
    case 'string':
      return reader.string()
    case 'bytes':
      return reader.bytes()
    case 'bool':
      return reader.bool()
    case 'double':
      return reader.double()
    case 'int32':
      return reader.int32()
    case 'uint32':
      return reader.uint32()
    case 'int64':
      return Number(reader.int64())
    case 'uint64':
      return Number(reader.uint64())
    default:
      return nameOf(type, reader.int32())
  }
}

/** An enumeration's value by number; one that this version does not know is its number as text. */
function nameOf(type: string, value: number): string {
  for (const name in numbers[type]) if (numbers[type][name] === value) return name
  return String(value)
}

function defaultOf(type: string): unknown {
  if (type === 'string') return ''
  if (type === 'bytes') return new Uint8Array()
  if (type === 'bool') return false
  return numbers[type] ? nameOf(type, 0) : 0
}
