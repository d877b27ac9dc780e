import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { VirtualClock } from '../clock.ts'
import { newGrpcClient } from './grpc-client.ts'

/** A message as gRPC frames it. */
function frameOf(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.byteLength, 1)
  return Buffer.concat([head, message])
}

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

async function serve(t: TestContext, handler: Handler) {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-grpc-'))
  const path = join(folder, 'server.sock')
  const sessions = new Set<{ destroy(): void }>()
  const server = createServer()
    .on('stream', handler)
    .on('session', (session) => void sessions.add(session))
  const listen = () => new Promise<void>((resolve) => server.listen(path, resolve))
  await listen()
  const clock = new VirtualClock()
  const client = newGrpcClient({ target: { path }, clock, messageBytesMax: 100_000 })
  /** Ends every connection, as a server that restarts does. */
  const cut = () => {
    for (const session of sessions) session.destroy()
    sessions.clear()
  }
  t.after(async () => {
    client.close()
    cut()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true })
  })
  return { client, clock, cut }
}

/** Answers with these messages and this status. */
function answer(
  stream: ServerHttp2Stream,
  messages: readonly string[],
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(Buffer.concat(messages.map((text) => frameOf(Buffer.from(text)))))
}

const echo: Handler = (stream) => {
  const pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  stream.on('end', () => answer(stream, [Buffer.concat(pieces).subarray(5).toString()]))
}

test('a call is answered, the next one on the same connection', async (t) => {
  const { client } = await serve(t, echo)
  assert.equal((await client.unary('/x.Echo/Say', Buffer.from('one'), 1000)).toString(), 'one')
  const long = 'x'.repeat(99_000)
  const answers = await Promise.all(['two', long].map((text) => client.unary('/x.Echo/Say', Buffer.from(text), 1000)))
  assert.deepEqual(answers.map(String), ['two', long])
})

test('a call says where it goes, and how long it waits', async (t) => {
  const seen = Promise.withResolvers<IncomingHttpHeaders>()
  const { client } = await serve(t, (stream, headers) => {
    seen.resolve(headers)
    answer(stream, [''])
  })
  await client.unary('/x.Echo/Say', Buffer.alloc(0), 1500)
  const headers = await seen.promise
  assert.deepEqual(
    [headers[':path'], headers['content-type'], headers['te'], headers['grpc-timeout']],
    ['/x.Echo/Say', 'application/grpc', 'trailers', '1500m'],
  )
})

test('a failure has its code and its text', async (t) => {
  const { client } = await serve(t, (stream) =>
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': '5',
        'grpc-message': 'no sandbox %22%C3%A4%22',
      },
      { endStream: true },
    ),
  )
  await assert.rejects(client.unary('/x/y', Buffer.alloc(0), 1000), {
    code: 'NotFound',
    details: 'no sandbox "ä"',
    message: 'rpc error: code = NotFound desc = no sandbox "ä"',
  })
})

test('a failure behind a message counts', async (t) => {
  const { client } = await serve(t, (stream) =>
    answer(stream, ['half'], { 'grpc-status': '8', 'grpc-message': 'too much' }),
  )
  await assert.rejects(client.unary('/x/y', Buffer.alloc(0), 1000), { code: 'ResourceExhausted' })
})

test('a server that does not speak gRPC is an error', async (t) => {
  const { client } = await serve(t, (stream) => stream.respond({ ':status': 404 }, { endStream: true }))
  await assert.rejects(client.unary('/x/y', Buffer.alloc(0), 1000), { code: 'Unimplemented' })
})

test('a call that takes too long ends at its deadline, and the server is told', async (t) => {
  const [begun, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { client, clock } = await serve(t, (stream) => {
    begun.resolve()
    stream.on('error', () => undefined).on('close', told.resolve)
  })
  const failed = assert.rejects(client.unary('/x/y', Buffer.alloc(0), 2000), { code: 'DeadlineExceeded' })
  await begun.promise
  await clock.advance(2000)
  await failed
  await told.promise
})

test('an answer that is too long is refused', async (t) => {
  const { client } = await serve(t, (stream) => answer(stream, ['x'.repeat(100_001)]))
  await assert.rejects(client.unary('/x/y', Buffer.alloc(0), 1000), { code: 'ResourceExhausted' })
})

test('a connection that breaks fails the calls under way, and the next call connects again', async (t) => {
  let first = true
  const { client, cut } = await serve(t, (stream, headers) => {
    stream.on('error', () => undefined)
    if (!first) return echo(stream, headers)
    first = false
    cut()
  })
  await assert.rejects(client.unary('/x/y', Buffer.from('lost'), 1000), { code: 'Unavailable' })
  assert.equal((await client.unary('/x/y', Buffer.from('again'), 1000)).toString(), 'again')
})

test('where nobody listens, calls fail as unavailable', async () => {
  const client = newGrpcClient({
    target: { path: '/nonexistent/x.sock' },
    clock: new VirtualClock(),
    messageBytesMax: 1,
  })
  await assert.rejects(client.unary('/x/y', Buffer.alloc(0), 1000), { code: 'Unavailable', details: /ENOENT/ })
})

test('closing fails the calls that wait', async (t) => {
  const begun = Promise.withResolvers<void>()
  const { client } = await serve(t, (stream) => {
    stream.on('error', () => undefined)
    begun.resolve()
  })
  const failed = assert.rejects(client.unary('/x/y', Buffer.alloc(0), 1000), { code: 'Canceled' })
  await begun.promise
  client.close()
  await failed
})

test('a stream gives each message, and ends with the server', async (t) => {
  const { client } = await serve(t, (stream) => answer(stream, ['a', 'b', 'c']))
  const seen: string[] = []
  for await (const message of client.serverStream('/x/y', Buffer.alloc(0), new AbortController().signal))
    seen.push(message.toString())
  assert.deepEqual(seen, ['a', 'b', 'c'])
})

test('a stream that is aborted ends quietly, and the server is told', async (t) => {
  const told = Promise.withResolvers<void>()
  const { client } = await serve(t, (stream) => {
    stream.on('error', () => undefined).on('close', told.resolve)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.write(frameOf(Buffer.from('first')))
  })
  const aborter = new AbortController()
  for await (const message of client.serverStream('/x/y', Buffer.alloc(0), aborter.signal)) {
    assert.equal(message.toString(), 'first')
    aborter.abort()
  }
  await told.promise
})
