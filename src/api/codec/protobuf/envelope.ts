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

/** Puts a message into its envelope. */
export function sealMessage(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  const body = new protobuf.Writer()
    .uint32(delimited(1))
    .fork()
    .uint32(delimited(1))
    .string(apiVersion)
    .uint32(delimited(2))
    .string(kind)
    .ldelim()
    .uint32(delimited(2))
    .bytes(raw)
    .uint32(delimited(3))
    .string('')
    .uint32(delimited(4))
    .string('')
    .finish()
  return Buffer.concat([magic, body])
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

/** A list in an envelope, from the messages of its items: they are encoded once and kept. `metadata` is the list's. */
export function encodeProtobufList(
  apiVersion: string,
  kind: string,
  metadata: object,
  items: readonly Uint8Array[],
): Buffer {
  const writer = new protobuf.Writer()
    .uint32(delimited(1))
    .bytes(encodeMessage(definition('apimachinery.pkg.apis.meta.v1.ListMeta'), metadata))
  for (const item of items) writer.uint32(delimited(2)).bytes(item)
  return sealMessage(apiVersion, kind, writer.finish())
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
