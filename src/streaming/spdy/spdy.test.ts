import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import test from 'node:test'
import { inflateSync, constants } from 'node:zlib'
import fc from 'fast-check'
import { SpdyConnection, type SpdyStream } from './connection.ts'
import { frameBytes, FrameReader, type Frame, type SentFrame } from './frames.ts'
import { headerDictionary, HeaderPacker, HeaderUnpacker } from './header-block.ts'

const text = fc.string({ maxLength: 60 })
const headers = fc.dictionary(
  fc
    .string({ minLength: 1, maxLength: 20 })
    .map((name) => name.toLowerCase())
    .filter((name) => name !== '__proto__'),
  text,
  { maxKeys: 8 },
)
const id = fc.integer({ min: 1, max: 0x7fff_ffff })

const sent: fc.Arbitrary<SentFrame> = fc.oneof(
  fc.record({
    type: fc.constantFrom('syn-stream' as const, 'syn-reply' as const, 'headers' as const),
    streamId: id,
    fin: fc.boolean(),
    block: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ type: fc.constant('rst-stream' as const), streamId: id, status: fc.nat(20) }),
  fc.record({ type: fc.constant('ping' as const), id }),
  fc.record({ type: fc.constant('goaway' as const), lastStreamId: id, status: fc.nat(3) }),
  fc.record({
    type: fc.constant('data' as const),
    streamId: id,
    fin: fc.boolean(),
    data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
)

/** Pieces of data frames put together again. */
function joined(frames: readonly Frame[]): Frame[] {
  const out: Frame[] = []
  let open = false
  for (const frame of frames) {
    const last = out.at(-1)
    if (frame.type === 'data' && last?.type === 'data' && open && last.streamId === frame.streamId)
      out[out.length - 1] = { ...frame, data: Buffer.concat([last.data, frame.data]) }
    else out.push({ ...frame })
    open = frame.type === 'data' && !frame.fin
  }
  return out
}

test('frames are read as they were written, in whatever pieces they come', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), (frames, size) => {
      const bytes = Buffer.concat(frames.map(frameBytes))
      const reader = new FrameReader()
      const got: Frame[] = []
      for (let at = 0; at < bytes.length; at += size) got.push(...reader.read(bytes.subarray(at, at + size)))
      assert.deepEqual(joined(got), joined(frames))
    }),
  )
})

test('a reader of frames ends or throws on any bytes, and takes no control frame above its limit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      const reader = new FrameReader()
      try {
        for (const frame of reader.read(Buffer.from(bytes))) assert.ok(frame.type)
      } catch (error) {
        assert.match(String(error), /SPDY/)
      }
    }),
  )
  assert.throws(() => [...new FrameReader().read(Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]))], /at most/)
})

test('header blocks of one connection are unpacked as they were packed', () => {
  fc.assert(
    fc.property(fc.array(headers, { minLength: 1, maxLength: 10 }), (blocks) => {
      const packer = new HeaderPacker()
      const unpacker = new HeaderUnpacker()
      for (const block of blocks) assert.deepEqual({ ...unpacker.unpack(packer.pack(block)) }, { ...block })
    }),
  )
})

test('packed header blocks are one zlib stream with the preset dictionary, as any inflater reads it', () => {
  const packer = new HeaderPacker()
  const stream = Buffer.concat([
    packer.pack({ streamtype: 'stdin', port: '80' }),
    packer.pack({ streamtype: 'error', port: '80' }),
  ])
  const plain = inflateSync(stream, { dictionary: headerDictionary(), finishFlush: constants.Z_SYNC_FLUSH }).toString(
    'latin1',
  )
  for (const value of ['stdin', 'error']) assert.ok(plain.includes(`streamtype\0\0\0\u0005${value}`), value)
  assert.equal(headerDictionary().length, 1423)
})

test('a header block that unpacks to more than its limit is refused', () => {
  const packer = new HeaderPacker()
  assert.throws(() => new HeaderUnpacker().unpack(packer.pack({ a: 'x'.repeat(100_000) })))
  assert.throws(() => new HeaderUnpacker().unpack(Buffer.from('no zlib stream at all')), /preset dictionary/)
})

/** Two ends of a byte stream that hold little. */
function pair(): [Duplex, Duplex] {
  const make = (): Duplex & { peer?: Duplex; waiting?: (() => void) | undefined } =>
    new Duplex({
      highWaterMark: 4096,
      read(this: Duplex & { waiting?: (() => void) | undefined }) {
        const go = this.waiting
        this.waiting = undefined
        go?.()
      },
      write(this: Duplex & { peer?: Duplex & { waiting?: () => void } }, chunk: Buffer, _encoding, done) {
        if (this.peer!.push(chunk)) done()
        else this.peer!.waiting = done
      },
      final(this: Duplex & { peer?: Duplex }, done) {
        this.peer!.push(null)
        done()
      },
    })
  const [a, b] = [make(), make()]
  a.peer = b
  b.peer = a
  return [a, b]
}

async function all(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

function connected(accept: (stream: SpdyStream) => void) {
  const [a, b] = pair()
  return {
    client: new SpdyConnection(a, { side: 'client' }),
    server: new SpdyConnection(b, { side: 'server', accept }),
  }
}

test('streams carry data both ways and half-close', async () => {
  const { client } = connected((stream) => {
    void all(stream).then((text) => stream.end(`${stream.headers['streamtype']}: ${text}`))
  })
  const [one, two] = [client.open({ streamtype: 'one' }), client.open({ streamtype: 'two' })]
  one.end('hello')
  two.end('world')
  assert.deepEqual(await Promise.all([all(one), all(two)]), ['one: hello', 'two: world'])
})

test('megabytes get through although the connection holds little and the reader is slow to begin', async () => {
  const data = Buffer.alloc(3_000_000, 'abcdefghij')
  const { client } = connected((stream) => void all(stream).then((text) => stream.end(String(text.length))))
  const stream = client.open({})
  let written = 0
  for (let at = 0; at < data.length; at += 50_000) {
    if (!stream.write(data.subarray(at, at + 50_000))) await new Promise((resolve) => stream.once('drain', resolve))
    written += 50_000
  }
  stream.end()
  assert.equal(await all(stream), String(written))
})

test('a reset ends the other side after what it was sent, and other streams go on', async () => {
  const opened: SpdyStream[] = []
  const { client } = connected((stream) => opened.push(stream))
  const [kept, reset] = [client.open({}), client.open({})]
  reset.write('last words', () => reset.destroy())
  kept.end('still here')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await all(opened[0]!), 'still here')
  assert.equal(await all(opened[1]!), 'last words')
})

test('the end of the connection ends its streams', async () => {
  const { client, server } = connected((stream) => stream.write('before the end'))
  const stream = client.open({})
  await new Promise((resolve) => setImmediate(resolve))
  server.close()
  assert.equal(await all(stream), 'before the end')
})
