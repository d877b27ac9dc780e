import { definition } from '../../schema/builtin.ts'
import { zeroScalar } from '../../schema/zero.ts'
import type { Field, ListSchema, ScalarSchema, Schema, StructSchema } from '../../schema/schema.ts'
import { ProtobufOutput } from './output.ts'

/*
 * From the JSON shape to protobuf's bytes, compiled once for each schema. As upstream's generated code does: fields in the order of their numbers, what is no pointer always
 * written, map keys sorted, times and quantities as messages.
 */

type Json = Record<string, unknown>
/** Writes a value with its tag. */
type WriteValue = (out: ProtobufOutput, value: unknown) => void

const lengthDelimited = 2
const varint = 0
const tagOf = (number: number, wireType: number): number => ((number << 3) | wireType) >>> 0

let output: ProtobufOutput | undefined

/** The bytes of an object's message, without the envelope. apiVersion and kind are not in it. */
export function encodeMessage(schema: StructSchema, object: object): Uint8Array {
  const out = (output ??= new ProtobufOutput())
  out.reset()
  writeNodes(planOf(schema), out, object as Json)
  return out.finish()
}

interface Node {
  readonly number: number
  readonly tag: number
  /** A field … */
  readonly name?: string
  readonly write?: WriteValue
  /** What is written when it is absent, made when first needed: nothing, or what is zero. */
  absent?: Uint8Array | undefined
  readonly field?: Field
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
      if (!inside) nodes.push((inside = { number, tag: tagOf(number, lengthDelimited), nodes: [] }))
      nodes = inside.nodes!
    }
    nodes.push({
      number: field.protobuf,
      tag: 0,
      name: field.name,
      field,
      write: fieldWriter(field.schema, field.protobuf),
    })
  }
  sortNodes(plan)
  plans.set(schema, plan)
  return plan
}

function sortNodes(nodes: Node[]): void {
  nodes.sort((a, b) => a.number - b.number)
  for (const node of nodes) if (node.nodes) sortNodes(node.nodes)
}

function writeNodes(nodes: readonly Node[], out: ProtobufOutput, object: Json): void {
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!
    if (node.nodes) {
      out.varint(node.tag)
      const start = out.begin()
      writeNodes(node.nodes, out, object)
      out.end(start)
      continue
    }
    const value = object[node.name!]
    if (value !== undefined && value !== null) node.write!(out, value)
    else {
      const absent = (node.absent ??= absentBytes(node))
      if (absent.length > 0) out.few(absent)
    }
  }
}

function writeStruct(schema: StructSchema, out: ProtobufOutput, value: unknown): void {
  const start = out.begin()
  writeNodes(planOf(schema), out, value as Json)
  out.end(start)
}

/** What a field comes to that JSON leaves out: pointers, lists and maps to nothing, all else to its zero. */
function absentBytes({ field, write }: Node): Uint8Array {
  const { schema, pointer } = field!
  if (pointer || schema.type === 'bytes' || schema.type === 'list' || schema.type === 'map') return new Uint8Array()
  const out = new ProtobufOutput()
  write!(out, zeroOf(schema))
  return out.finish()
}

/** What a plain value is when JSON leaves it out; undefined makes an empty message. */
function zeroOf(schema: Schema): unknown {
  return schema.type === 'struct' ? {} : zeroScalar(schema.type)
}

const fieldWriter = (schema: Schema, number: number): WriteValue =>
  schema.type === 'list'
    ? listWriter(schema, number)
    : schema.type === 'map'
      ? mapWriter(schema.values, number)
      : valueWriter(schema, number)

function listWriter(schema: ListSchema, number: number): WriteValue {
  const write = valueWriter(schema.items, number)
  return (out, value) => {
    const items = value as readonly unknown[]
    for (let i = 0; i < items.length; i++) write(out, items[i])
  }
}

function mapWriter(values: Schema, number: number): WriteValue {
  const tag = tagOf(number, lengthDelimited)
  const keyTag = tagOf(1, lengthDelimited)
  let write: WriteValue | undefined
  return (out, value) => {
    write ??= valueWriter(values, 2)
    const map = value as Json
    const keys = Object.keys(map)
    if (keys.length > 1) keys.sort()
    for (const key of keys) {
      out.varint(tag)
      const start = out.begin()
      out.varint(keyTag)
      out.text(key)
      write(out, map[key])
      out.end(start)
    }
  }
}

/** Writes one value with its tag. */
function valueWriter(schema: Schema, number: number): WriteValue {
  const delimited = tagOf(number, lengthDelimited)
  const plain = tagOf(number, varint)
  switch (schema.type) {
    case 'string':
      return (out, value) => {
        out.varint(delimited)
        out.text((value ?? '') as string)
      }
    case 'bytes':
      return (out, value) => {
        out.varint(delimited)
        out.bytes(Buffer.from((value ?? '') as string, 'base64'))
      }
    case 'boolean':
      return (out, value) => {
        out.varint(plain)
        out.varint(value ? 1 : 0)
      }
    case 'int32':
    case 'int64':
      return (out, value) => {
        out.varint(plain)
        out.integer((value ?? 0) as number)
      }
    case 'double':
      return (out, value) => {
        out.varint(tagOf(number, 1))
        out.double((value ?? 0) as number)
      }
    case 'struct':
      return (out, value) => {
        out.varint(delimited)
        writeStruct(schema, out, value ?? {})
      }
    case 'list':
      return wrappedWriter(schema, delimited)
    case 'map':
      throw new Error('protobuf has no maps in maps or lists')
    default:
      return (out, value) => {
        out.varint(delimited)
        const start = out.begin()
        writeMessage(schema, out, value)
        out.end(start)
      }
  }
}

/** A list as a map's value: in a message of its own. */
function wrappedWriter(schema: ListSchema, tag: number): WriteValue {
  const write = listWriter(schema, 1)
  return (out, value) => {
    out.varint(tag)
    const start = out.begin()
    write(out, value ?? [])
    out.end(start)
  }
}

const firstPlain = tagOf(1, varint)
const secondPlain = tagOf(2, varint)
const firstDelimited = tagOf(1, lengthDelimited)
const secondDelimited = tagOf(2, lengthDelimited)
const thirdDelimited = tagOf(3, lengthDelimited)

/** What is a scalar in JSON and a message in protobuf. */
function writeMessage(schema: ScalarSchema, out: ProtobufOutput, value: unknown): void {
  switch (schema.type) {
    case 'quantity':
      out.varint(firstDelimited)
      return out.text((value ?? '0') as string)
    case 'intOrString': {
      const isText = typeof value === 'string'
      out.varint(firstPlain)
      out.varint(isText ? 1 : 0)
      out.varint(secondPlain)
      out.integer(isText ? 0 : ((value ?? 0) as number))
      out.varint(thirdDelimited)
      return out.text(isText ? value : '')
    }
    case 'time':
    case 'microTime':
      return value ? writeTimestamp(out, value as string) : undefined
    default:
      return writeAny(schema, out, value)
  }
}

function writeTimestamp(out: ProtobufOutput, text: string): void {
  out.varint(firstPlain)
  out.integer(Math.floor(Date.parse(`${text.slice(0, 19)}Z`) / 1000))
  out.varint(secondPlain)
  out.varint(text.length > 20 ? Number(text.slice(20, 26)) * 1000 : 0)
}

const propsOf = (): StructSchema => definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')

function writeProps(out: ProtobufOutput, tag: number, value: unknown): void {
  out.varint(tag)
  writeStruct(propsOf(), out, value)
}

function writeAny(schema: ScalarSchema, out: ProtobufOutput, value: unknown): void {
  if (value === undefined || value === null) return
  switch (schema.form) {
    case 'schemaOrBool':
      out.varint(firstPlain)
      out.varint(value === false ? 0 : 1)
      if (typeof value !== 'boolean') writeProps(out, secondDelimited, value)
      return
    case 'schemaOrArray':
      if (!Array.isArray(value)) return writeProps(out, firstDelimited, value)
      for (const item of value as Json[]) writeProps(out, secondDelimited, item)
      return
    case 'schemaOrStrings':
      if (!Array.isArray(value)) return writeProps(out, firstDelimited, value)
      for (const item of value as string[]) {
        out.varint(secondDelimited)
        out.text(item)
      }
      return
    default:
      out.varint(firstDelimited)
      out.text(JSON.stringify(value))
  }
}
