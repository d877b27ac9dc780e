import protobuf from 'protobufjs/minimal.js'
import { definition } from '../../schema/builtin.ts'
import type { Field, ListSchema, ScalarSchema, Schema, StructSchema } from '../../schema/schema.ts'

/*
 * From the JSON shape to protobuf's bytes, compiled once for each schema. As upstream's generated code does: fields in the order of their numbers, what is no pointer always
 * written, map keys sorted, times and quantities as messages.
 */

type Writer = protobuf.Writer
type Json = Record<string, unknown>
/** Writes a field with its tag, or nothing. */
type WriteField = (writer: Writer, value: unknown) => void

const lengthDelimited = 2
const varint = 0
const tagOf = (number: number, wireType: number): number => ((number << 3) | wireType) >>> 0

/** The bytes of an object's message, without the envelope. apiVersion and kind are not in it. */
export const encodeMessage = (schema: StructSchema, object: object): Uint8Array =>
  writeStruct(schema, new protobuf.Writer(), object as Json).finish()

interface Node {
  readonly number: number
  /** A field … */
  readonly name?: string
  readonly write?: WriteField
  /** … or an embedded message, whose fields are inline in JSON. */
  readonly nodes?: Node[]
}

const plans = new WeakMap<StructSchema, Node[]>()

function planOf(schema: StructSchema): Node[] {
  let plan = plans.get(schema)
  if (plan) return plan
  plan = []
  for (const field of schema.fields.values()) {
    if (field.protobuf === undefined) continue
    let nodes = plan
    for (const number of field.protobufIn ?? []) {
      let inside = nodes.find((node) => node.number === number)
      if (!inside) nodes.push((inside = { number, nodes: [] }))
      nodes = inside.nodes!
    }
    nodes.push({ number: field.protobuf, name: field.name, write: fieldWriter(field, field.protobuf) })
  }
  sortNodes(plan)
  plans.set(schema, plan)
  return plan
}

function sortNodes(nodes: Node[]): void {
  nodes.sort((a, b) => a.number - b.number)
  for (const node of nodes) if (node.nodes) sortNodes(node.nodes)
}

const writeStruct = (schema: StructSchema, writer: Writer, object: Json): Writer =>
  writeNodes(planOf(schema), writer, object)

function writeNodes(nodes: readonly Node[], writer: Writer, object: Json): Writer {
  for (const node of nodes) {
    if (node.nodes) writeNodes(node.nodes, writer.uint32(tagOf(node.number, lengthDelimited)).fork(), object).ldelim()
    else node.write!(writer, object[node.name!])
  }
  return writer
}

function fieldWriter(field: Field, number: number): WriteField {
  const { schema } = field
  if (schema.type === 'list') return listWriter(schema, number)
  if (schema.type === 'map') return mapWriter(schema.values, number)
  const write = valueWriter(schema, number)
  const optional = field.pointer || schema.type === 'bytes'
  if (optional) return (writer, value) => void (value !== undefined && value !== null && write(writer, value))
  const zero = zeroOf(schema)
  return (writer, value) => write(writer, value ?? zero)
}

/** What a plain value is when JSON leaves it out; undefined makes an empty message. */
function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    case 'struct':
      return {}
    default:
      return undefined
  }
}

function listWriter(schema: ListSchema, number: number): WriteField {
  const write = valueWriter(schema.items, number)
  return (writer, value) => {
    for (const item of (value as readonly unknown[] | null | undefined) ?? []) write(writer, item)
  }
}

function mapWriter(values: Schema, number: number): WriteField {
  let write: WriteField | undefined
  return (writer, value) => {
    write ??= valueWriter(values, 2)
    const map = (value ?? {}) as Json
    for (const key of Object.keys(map).sort()) {
      writer.uint32(tagOf(number, lengthDelimited)).fork().uint32(tagOf(1, lengthDelimited)).string(key)
      write(writer, map[key])
      writer.ldelim()
    }
  }
}

/** Writes one value with its tag. */
function valueWriter(schema: Schema, number: number): WriteField {
  const delimited = tagOf(number, lengthDelimited)
  const plain = tagOf(number, varint)
  switch (schema.type) {
    case 'string':
      return (writer, value) => void writer.uint32(delimited).string(value as string)
    case 'bytes':
      return (writer, value) => void writer.uint32(delimited).bytes(Buffer.from((value ?? '') as string, 'base64'))
    case 'boolean':
      return (writer, value) => void writer.uint32(plain).bool(value as boolean)
    case 'int32':
    case 'int64':
      return (writer, value) => void writer.uint32(plain).int64(value as number)
    case 'double':
      return (writer, value) => void writer.uint32(tagOf(number, 1)).double(value as number)
    case 'struct':
      return (writer, value) => void writeStruct(schema, writer.uint32(delimited).fork(), value as Json).ldelim()
    case 'list':
      return wrappedWriter(schema, delimited)
    case 'map':
      throw new Error('protobuf has no maps in maps or lists')
    default:
      return (writer, value) => void messageOf(schema, writer.uint32(delimited).fork(), value).ldelim()
  }
}

/** A list as a map's value: in a message of its own. */
function wrappedWriter(schema: ListSchema, tag: number): WriteField {
  const write = listWriter(schema, 1)
  return (writer, value) => {
    write(writer.uint32(tag).fork(), value)
    writer.ldelim()
  }
}

/** What is a scalar in JSON and a message in protobuf. */
function messageOf(schema: ScalarSchema, writer: Writer, value: unknown): Writer {
  switch (schema.type) {
    case 'quantity':
      return writer.uint32(tagOf(1, lengthDelimited)).string(value as string)
    case 'intOrString':
      return typeof value === 'string'
        ? writer
            .uint32(tagOf(1, varint))
            .int32(1)
            .uint32(tagOf(2, varint))
            .int32(0)
            .uint32(tagOf(3, lengthDelimited))
            .string(value)
        : writer
            .uint32(tagOf(1, varint))
            .int32(0)
            .uint32(tagOf(2, varint))
            .int64(value as number)
            .uint32(tagOf(3, lengthDelimited))
            .string('')
    case 'time':
    case 'microTime':
      return value ? timestamp(writer, value as string) : writer
    default:
      return anyMessage(schema, writer, value)
  }
}

function timestamp(writer: Writer, text: string): Writer {
  const seconds = Math.floor(Date.parse(`${text.slice(0, 19)}Z`) / 1000)
  const micros = text.length > 20 ? Number(text.slice(20, 26)) : 0
  return writer
    .uint32(tagOf(1, varint))
    .int64(seconds)
    .uint32(tagOf(2, varint))
    .int32(micros * 1000)
}

const propsOf = (): StructSchema => definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')

function anyMessage(schema: ScalarSchema, writer: Writer, value: unknown): Writer {
  if (value === undefined || value === null) return writer
  switch (schema.form) {
    case 'schemaOrBool':
      if (typeof value === 'boolean') return writer.uint32(tagOf(1, varint)).bool(value)
      return writeStruct(
        propsOf(),
        writer.uint32(tagOf(1, varint)).bool(true).uint32(tagOf(2, lengthDelimited)).fork(),
        value as Json,
      ).ldelim()
    case 'schemaOrArray':
      if (!Array.isArray(value))
        return writeStruct(propsOf(), writer.uint32(tagOf(1, lengthDelimited)).fork(), value as Json).ldelim()
      for (const item of value as Json[])
        writeStruct(propsOf(), writer.uint32(tagOf(2, lengthDelimited)).fork(), item).ldelim()
      return writer
    case 'schemaOrStrings':
      if (!Array.isArray(value))
        return writeStruct(propsOf(), writer.uint32(tagOf(1, lengthDelimited)).fork(), value as Json).ldelim()
      for (const item of value as string[]) writer.uint32(tagOf(2, lengthDelimited)).string(item)
      return writer
    default:
      return writer.uint32(tagOf(1, lengthDelimited)).bytes(Buffer.from(JSON.stringify(value)))
  }
}
