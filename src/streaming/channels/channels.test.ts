import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { WebSocket, type RawData } from 'ws'
import { VirtualClock } from '../../base/clock.ts'
import { SpdyConnection, type SpdyStream } from '../spdy/connection.ts'
import { UpgradeError } from '../upgrade/forward.ts'
import type { Upgrade } from '../upgrade/upgrade.ts'
import { remoteCommandV5, translateRemoteCommand, type SessionStreams } from './remote-command.ts'
import { tunnelledProtocols, tunnelSpdy } from './tunnel.ts'

async function listen(t: TestContext, server: Server): Promise<URL> {
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** A server of SPDY sessions, as a container runtime's: `session` gets the streams by their type once all are there. */
function spdyServer(
  t: TestContext,
  count: number,
  session: (streams: Record<string, SpdyStream>) => void,
  asked: IncomingMessage[] = [],
): Promise<URL> {
  const server = createServer()
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    asked.push(request)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${String(request.headers['x-stream-protocol-version'])}\r\n\r\n`,
    )
    const streams: Record<string, SpdyStream> = {}
    const connection = new SpdyConnection(socket, {
      side: 'server',
      accept(stream) {
        streams[stream.headers['streamtype'] ?? ''] = stream
        if (Object.keys(streams).length === count) session(streams)
      },
    })
    if (head.length > 0) connection.receive(head)
  })
  return listen(t, server)
}

/** Serves upgrades with `take`, as the API server does. */
async function front(
  t: TestContext,
  take: (upgrade: Upgrade) => Promise<unknown>,
): Promise<{ url: URL; done: Promise<unknown> }> {
  const server = createServer()
  const { promise: done, resolve, reject } = Promise.withResolvers<unknown>()
  done.catch(() => {})
  server.on(
    'upgrade',
    (request, socket: Duplex, head: Buffer) =>
      void take({ request, socket: socket.on('error', () => {}), head }).then(resolve, reject),
  )
  return { url: await listen(t, server), done }
}

interface Client {
  readonly webSocket: WebSocket
  /** What came on each channel. */
  readonly got: Map<number, Buffer[]>
  text(channel: number): string
  readonly closed: Promise<number>
}

async function client(url: URL, protocol: string): Promise<Client> {
  const webSocket = new WebSocket(`ws://${url.host}/`, [protocol])
  const got = new Map<number, Buffer[]>()
  webSocket.on('message', (raw: RawData) => {
    const message = raw as Buffer
    got.set(message[0]!, [...(got.get(message[0]!) ?? []), message.subarray(1)])
  })
  const closed = new Promise<number>((resolve) => webSocket.once('close', resolve))
  await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject))
  return { webSocket, got, closed, text: (channel) => Buffer.concat(got.get(channel) ?? []).toString() }
}

const send = ({ webSocket }: Client, channel: number, data: string | Buffer) =>
  webSocket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]))

async function session(
  t: TestContext,
  streams: Partial<SessionStreams>,
  runtime: (streams: Record<string, SpdyStream>) => void,
): Promise<Client> {
  const all: SessionStreams = { stdin: false, stdout: true, stderr: false, tty: false, ...streams }
  const count = 1 + Number(all.stdin) + Number(all.stdout) + Number(all.stderr && !all.tty) + Number(all.tty)
  const origin = await spdyServer(t, count, runtime)
  const { url } = await front(t, (upgrade) =>
    translateRemoteCommand(upgrade, { clock: new VirtualClock(), streams: all, server: { origin, path: '/exec' } }),
  )
  return client(url, remoteCommandV5)
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

test('a WebSocket client half-closes its input, and gets output, error output and success', async (t) => {
  const one = await session(t, { stdin: true, stderr: true }, ({ stdin, stdout, stderr, error }) => {
    void textOf(stdin!).then((text) => {
      stdout!.end(text.toUpperCase())
      stderr!.end('careful')
      error!.end('{"metadata":{},"status":"Success"}')
    })
  })
  send(one, 0, 'hello ')
  send(one, 0, 'world')
  send(one, 255, Buffer.from([0]))
  assert.equal(await one.closed, 1000)
  assert.deepEqual(
    [one.text(1), one.text(2), one.text(3)],
    ['HELLO WORLD', 'careful', '{"metadata":{},"status":"Success"}'],
  )
  assert.equal(one.got.get(1)![0]!.length, 0, 'the first message says that the session is there')
})

test('a failed command’s status passes as it is', async (t) => {
  const status =
    '{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'
  const one = await session(t, {}, ({ stdout, error }) => {
    error!.end(status)
    stdout!.end('late')
  })
  await one.closed
  assert.deepEqual([one.text(1), one.text(3)], ['late', status])
})

test('a terminal’s size goes along, and it has no error output of its own', async (t) => {
  const one = await session(t, { stdin: true, stderr: true, tty: true }, ({ resize, stdout, error, stderr }) => {
    assert.equal(stderr, undefined)
    resize!.once('data', (size: Buffer) => {
      stdout!.end(size.toString())
      error!.end()
    })
  })
  send(one, 4, '{"Width":80,"Height":24}')
  await one.closed
  assert.deepEqual(
    [one.text(1), JSON.parse(one.text(3))],
    ['{"Width":80,"Height":24}', { metadata: {}, status: 'Success' }],
  )
})

test('megabytes pass both ways', async (t) => {
  const data = Buffer.alloc(4_000_000, 'The quick brown fox ')
  const one = await session(t, { stdin: true }, ({ stdin, stdout, error }) => {
    stdin!.pipe(stdout!)
    stdin!.on('end', () => error!.end())
  })
  for (let at = 0; at < data.length; at += 100_000) send(one, 0, data.subarray(at, at + 100_000))
  send(one, 255, Buffer.from([0]))
  await one.closed
  assert.ok(Buffer.concat(one.got.get(1)!).equals(data))
})

test('what the runtime refuses is told on the error channel', async (t) => {
  const server = createServer((_request, response) => response.writeHead(500).end('container not found ("web")'))
  const origin = await listen(t, server)
  const { url } = await front(t, (upgrade) =>
    translateRemoteCommand(upgrade, {
      clock: new VirtualClock(),
      streams: { stdin: false, stdout: true, stderr: false, tty: false },
      server: { origin, path: '/' },
    }),
  )
  const one = await client(url, remoteCommandV5)
  await one.closed
  assert.equal(
    (JSON.parse(one.text(3)) as { message: string }).message,
    'Internal error occurred: unable to upgrade connection: container not found ("web")',
  )
})

test('a session whose connection breaks did not succeed', async (t) => {
  const server = createServer()
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n')
    socket.once('data', () => socket.end()).on('error', () => {})
  })
  const streams = { stdin: false, stdout: true, stderr: false, tty: false }
  const origin = await listen(t, server)
  const { url } = await front(t, (upgrade) =>
    translateRemoteCommand(upgrade, { clock: new VirtualClock(), streams, server: { origin, path: '/' } }),
  )
  const one = await client(url, remoteCommandV5)
  await one.closed
  assert.equal(
    (JSON.parse(one.text(3)) as { message: string }).message,
    'Internal error occurred: error reading from error stream: unexpected EOF',
  )
})

test('a client that goes away ends the session', async (t) => {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const one = await session(t, { stdin: true }, ({ stdin, stdout }) => {
    stdin!.on('end', resolve).resume()
    stdout!.write('here')
  })
  while (one.text(1) !== 'here') await new Promise((resolve) => one.webSocket.once('message', resolve))
  one.webSocket.terminate()
  await ended
})

test('a tunnel carries SPDY in WebSocket messages of any size', async (t) => {
  assert.deepEqual(tunnelledProtocols(['SPDY/3.1+portforward.k8s.io', 'v4.channel.k8s.io']), ['portforward.k8s.io'])
  const asked: IncomingMessage[] = []
  const origin = await spdyServer(
    t,
    1,
    ({ data }) => void textOf(data!).then((text) => data!.end(`got ${text}`)),
    asked,
  )
  const { url } = await front(t, (upgrade) =>
    tunnelSpdy(upgrade, { origin, path: '/portForward', protocols: ['portforward.k8s.io'] }),
  )
  // `ws` refuses the slash in the protocol's name, on both sides: the handshake is made by hand, the frames by `ws`.
  const request = `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n\r\n`
  const socket = connect(Number(url.port), '127.0.0.1')
  socket.write(request)
  const head = await new Promise<string>((resolve) =>
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1'))),
  )
  assert.match(head, /101 Switching Protocols[^]*Sec-WebSocket-Protocol: SPDY\/3\.1\+portforward\.k8s\.io/)
  assert.equal(asked[0]!.headers['x-stream-protocol-version'], 'portforward.k8s.io')
  const bytes = messagesOver(socket)
  const connection = new SpdyConnection(bytes, { side: 'client' })
  const stream = connection.open({ streamtype: 'data', port: '80' })
  stream.end('ping')
  assert.equal(await textOf(stream), 'got ping')
  socket.destroy()
})

test('a client that is gone when its tunnel is ready leaves none', async (t) => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const server = createServer()
  const { url, done } = await front(t, async (upgrade) => {
    await tunnelSpdy(upgrade, { origin: await origin, path: '/', protocols: ['portforward.k8s.io'] })
  })
  const socket = connect(Number(url.port), '127.0.0.1')
  server.on('upgrade', (_request, backend: Duplex) => {
    socket.resetAndDestroy()
    socket.once('close', () => {
      backend.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n')
      backend
        .on('error', () => {})
        .on('end', resolve)
        .resume()
    })
  })
  const origin = listen(t, server)
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await assert.rejects(done, UpgradeError)
  await closed
})

/** The payload of unfragmented binary messages over a socket, a byte a message when sending: the worst pieces. */
function messagesOver(socket: ReturnType<typeof connect>): Duplex {
  const [near, far] = [new PassPipe(), new PassPipe()]
  near.other = far
  far.other = near
  far.on('data', (chunk: Buffer) => {
    for (const byte of chunk) socket.write(Buffer.from([0x82, 0x81, 0, 0, 0, 0, byte]))
  })
  let held = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 2 && held.length >= 2 + (held[1]! & 0x7f)) {
      const length = held[1]! & 0x7f
      if ((held[0]! & 0x0f) === 2) far.write(held.subarray(2, 2 + length))
      held = held.subarray(2 + length)
    }
  })
  return near
}

/** One end of a pipe in memory. */
class PassPipe extends (await import('node:stream')).Duplex {
  other!: PassPipe
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.other.push(Buffer.from(chunk))
    done()
  }
}
