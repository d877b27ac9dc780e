/** SPDY/3.1's frames, as far as Kubernetes' streams use them. Header blocks are still packed. */
export type Frame =
  | { readonly type: 'syn-stream'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'syn-reply'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'headers'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'rst-stream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway'; readonly lastStreamId: number; readonly status: number }
  | { readonly type: 'settings' }
  | { readonly type: 'window-update'; readonly streamId: number; readonly delta: number }
  /** A piece of a data frame: `fin` only with its last piece. */
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }

/** Frames that can be written. */
export type SentFrame = Exclude<Frame, { type: 'settings' | 'window-update' }>

const types = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  headers: 8,
  windowUpdate: 9,
} as const
const version = 3
const headBytes = 8
const finFlag = 1
/** The largest control frame that is taken: packed headers of one stream. */
const controlBytesMax = 64 * 1024
/** The most that the length field of a data frame can say. */
const dataBytesMax = 0xff_ffff

/** A frame's bytes. */
export function frameBytes(frame: SentFrame): Buffer {
  switch (frame.type) {
    case 'data':
      return dataFrame(frame.streamId, frame.fin, frame.data)
    case 'syn-stream':
      // Associated stream, priority and slot are 0.
      return control(types.synStream, frame.fin, [word(frame.streamId), word(0), Buffer.alloc(2), frame.block])
    case 'syn-reply':
      return control(types.synReply, frame.fin, [word(frame.streamId), frame.block])
    case 'headers':
      return control(types.headers, frame.fin, [word(frame.streamId), frame.block])
    case 'rst-stream':
      return control(types.rstStream, false, [word(frame.streamId), word(frame.status)])
    case 'ping':
      return control(types.ping, false, [word(frame.id)])
    case 'goaway':
      return control(types.goaway, false, [word(frame.lastStreamId), word(frame.status)])
  }
}

function dataFrame(streamId: number, fin: boolean, data: Buffer): Buffer {
  if (data.length > dataBytesMax) throw new RangeError(`SPDY: a data frame holds at most ${dataBytesMax} bytes`)
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(streamId, 0)
  head.writeUInt32BE(((fin ? finFlag : 0) << 24) | data.length, 4)
  return data.length === 0 ? head : Buffer.concat([head, data])
}

function control(type: number, fin: boolean, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE(0x8000 | version, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(((fin ? finFlag : 0) << 24) | length, 4)
  return Buffer.concat([head, ...parts])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Reads frames off a byte stream that comes in any pieces. What does not fit SPDY/3.1 throws; frames of unknown types are skipped. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0)
  /** The data frame whose payload is being read. */
  #data: { streamId: number; fin: boolean; left: number } | undefined;

  /** The frames that are complete with this chunk; data frames piece by piece. */
  *read(chunk: Buffer): Generator<Frame> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    for (;;) {
      if (this.#data) {
        if (rest.length === 0) return
        const piece = rest.subarray(0, this.#data.left)
        rest = rest.subarray(piece.length)
        yield this.#piece(this.#data, piece)
        continue
      }
      if (rest.length < headBytes) break
      const length = rest.readUInt32BE(4) & 0xff_ffff
      const fin = (rest[4]! & finFlag) !== 0
      if ((rest[0]! & 0x80) === 0) {
        const streamId = rest.readUInt32BE(0)
        rest = rest.subarray(headBytes)
        if (length === 0) yield { type: 'data', streamId, fin, data: Buffer.alloc(0) }
        else this.#data = { streamId, fin, left: length }
        continue
      }
      if (length > controlBytesMax)
        throw new Error(`SPDY: a control frame of ${length} bytes (at most ${controlBytesMax})`)
      if (rest.length < headBytes + length) break
      const frame = controlFrame(rest, fin, rest.subarray(headBytes, headBytes + length))
      rest = rest.subarray(headBytes + length)
      if (frame) yield frame
    }
    this.#held = rest
  }

  #piece(data: { streamId: number; fin: boolean; left: number }, piece: Buffer): Frame {
    data.left -= piece.length
    const last = data.left === 0
    if (last) this.#data = undefined
    return { type: 'data', streamId: data.streamId, fin: last && data.fin, data: piece }
  }
}

function controlFrame(head: Buffer, fin: boolean, body: Buffer): Frame | undefined {
  const spoken = head.readUInt16BE(0) & 0x7fff
  if (spoken !== version) throw new Error(`SPDY: version ${spoken} is not spoken here`)
  const type = head.readUInt16BE(2)
  const id = () => wordAt(body, 0) & 0x7fff_ffff
  switch (type) {
    case types.synStream:
      return { type: 'syn-stream', streamId: id(), fin, block: after(body, 10) }
    case types.synReply:
      return { type: 'syn-reply', streamId: id(), fin, block: after(body, 4) }
    case types.headers:
      return { type: 'headers', streamId: id(), fin, block: after(body, 4) }
    case types.rstStream:
      return { type: 'rst-stream', streamId: id(), status: wordAt(body, 4) }
    case types.ping:
      return { type: 'ping', id: wordAt(body, 0) }
    case types.goaway:
      return { type: 'goaway', lastStreamId: id(), status: wordAt(body, 4) }
    case types.settings:
      return { type: 'settings' }
    case types.windowUpdate:
      return { type: 'window-update', streamId: id(), delta: wordAt(body, 4) & 0x7fff_ffff }
    default:
      return undefined
  }
}

function wordAt(body: Buffer, at: number): number {
  if (body.length < at + 4) throw new Error('SPDY: a control frame is cut off')
  return body.readUInt32BE(at)
}

function after(body: Buffer, at: number): Buffer {
  if (body.length < at) throw new Error('SPDY: a control frame is cut off')
  return body.subarray(at)
}
