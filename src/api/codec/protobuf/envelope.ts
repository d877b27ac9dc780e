import protobuf from 'protobufjs/minimal.js'
import { definition } from '../../schema/builtin.ts'
import type { StructSchema } from '../../schema/schema.ts'
import { decodeMessage, ProtobufError } from './read.ts'
import { encodeMessage } from './write.ts'

/** The media type of Kubernetes' protobuf form. */
export const protobufType = 'application/vnd.kubernetes.protobuf'

/** What every object in this form begins with. */
const magic = Buffer.from('k8s\0')

/** A message with what it is: runtime.Unknown. */
export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  /** The object's message. */
  readonly raw: Uint8Array
  /** Empty for protobuf; JSON may travel in an envelope, too. */
  readonly contentType: string
}

/** Whether bytes are in this form. */
export const isProtobuf = (bytes: Uint8Array): boolean =>
  bytes.length >= magic.length && magic.equals(bytes.subarray(0, magic.length))

const delimited = (number: number) => (number << 3) | 2

/** What an envelope says of its message. */
const envelopeHead = (apiVersion: string, kind: string): protobuf.Writer =>
  new protobuf.Writer()
    .uint32(delimited(1))
    .fork()
    .uint32(delimited(1))
    .string(apiVersion)
    .uint32(delimited(2))
    .string(kind)
    .ldelim()

/** Neither an encoding nor a content type. */
const envelopeTail = [delimited(3), 0, delimited(4), 0]

/** Puts a message into its envelope. */
export function sealMessage(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  const head = envelopeHead(apiVersion, kind).uint32(delimited(2)).uint32(raw.length).finish()
  return Buffer.concat([magic, head, raw, Buffer.from(envelopeTail)])
}

/** Takes an envelope apart. Throws a ProtobufError. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!isProtobuf(bytes))
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  const found = { apiVersion: '', kind: '', raw: new Uint8Array() as Uint8Array, contentType: '' }
  try {
    eachField(bytes.subarray(magic.length), (number, reader) => {
      if (number === 1)
        eachField(
          reader.bytes(),
          (inner, type) =>
            (inner === 1
              ? (found.apiVersion = type.string())
              : inner === 2
                ? (found.kind = type.string())
                : undefined) !== undefined,
        )
      else if (number === 2) found.raw = reader.bytes()
      else if (number === 4) found.contentType = reader.string()
      else return false
      return true
    })
  } catch (error) {
    throw new ProtobufError(`proto: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return found
}

/** Calls `read` for each field; what it does not read (false) is skipped. */
function eachField(bytes: Uint8Array, read: (number: number, reader: protobuf.Reader) => boolean): void {
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (!read(tag >>> 3, reader)) reader.skipType(tag & 7, 0, tag >>> 3)
  }
}

/** An object in an envelope; apiVersion and kind are the object's. */
export function encodeProtobuf(
  schema: StructSchema,
  object: { readonly apiVersion?: string | undefined; readonly kind?: string | undefined },
): Buffer {
  return sealMessage(object.apiVersion ?? '', object.kind ?? '', encodeMessage(schema, object))
}

/** The object of an envelope's message, with the envelope's apiVersion and kind first. `schema` must be that of the kind. */
export function decodeEnvelope(
  schema: StructSchema,
  { apiVersion, kind, raw, contentType }: Envelope,
): Record<string, unknown> {
  if (contentType !== '' && contentType !== protobufType)
    throw new ProtobufError(`unsupported content type in a protobuf envelope: ${contentType}`)
  return { ...(kind && { kind }), ...(apiVersion && { apiVersion }), ...decodeMessage(schema, raw) }
}

/** What is before, around and after the messages of a list's items, so that they can be sent one after the other. */
export interface ProtobufListFrame {
  readonly head: Buffer
  readonly tail: Buffer
}

/** An item of a list: a message with its tag and length before it. */
export function listItem(message: Uint8Array): Buffer {
  const head = new protobuf.Writer().uint32(delimited(2)).uint32(message.length).finish()
  const item = Buffer.allocUnsafeSlow(head.length + message.length)
  item.set(head, 0)
  item.set(message, head.length)
  return item
}

/** The message of a `listItem`. */
export function messageOfItem(item: Uint8Array): Uint8Array {
  let at = 1
  while (item[at]! > 127) at++
  return item.subarray(at + 1)
}

/** The envelope of a list whose items (`listItem`) have `itemBytes` together. `metadata` is the list's. */
export function protobufListFrame(
  { apiVersion, kind, metadata }: { readonly apiVersion: string; readonly kind: string; readonly metadata: object },
  itemBytes: number,
): ProtobufListFrame {
  const meta = new protobuf.Writer()
    .uint32(delimited(1))
    .bytes(encodeMessage(definition('apimachinery.pkg.apis.meta.v1.ListMeta'), metadata))
    .finish()
  const raw = meta.length + itemBytes
  const head = envelopeHead(apiVersion, kind).uint32(delimited(2)).uint32(raw).finish()
  return { head: Buffer.concat([magic, head, meta]), tail: Buffer.from(envelopeTail) }
}

/** One frame of a watch: the length in four bytes, then a WatchEvent around an object in its envelope. */
export function watchFrame(type: string, envelope: Uint8Array): Buffer {
  const event = new protobuf.Writer()
    .uint32(delimited(1))
    .string(type)
    .uint32(delimited(2))
    .fork()
    .uint32(delimited(1))
    .bytes(envelope)
    .ldelim()
    .finish()
  const frame = Buffer.allocUnsafe(4 + event.length)
  frame.writeUInt32BE(event.length, 0)
  frame.set(event, 4)
  return frame
}

/** A frame's event, without the four bytes of length: its type and the object's envelope. */
export function parseWatchEvent(event: Uint8Array): { type: string; envelope: Uint8Array } {
  const found = { type: '', envelope: new Uint8Array() as Uint8Array }
  eachField(event, (number, reader) => {
    if (number === 1) found.type = reader.string()
    else if (number === 2) {
      eachField(reader.bytes(), (inner, raw) => {
        if (inner !== 1) return false
        found.envelope = raw.bytes()
        return true
      })
    } else return false
    return true
  })
  return found
}
