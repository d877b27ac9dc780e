import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcp, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { DialError, forwardUpgrade, UpgradeError } from './forward.ts'
import type { Upgrade } from './upgrade.ts'

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

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

test('a forwarded upgrade is a byte pipe: credentials do not pass, and the last bytes arrive', async (t) => {
  const seen: string[] = []
  const server = createTcp((socket) => {
    socket.once('data', (chunk: Buffer) => {
      seen.push(chunk.toString())
      socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: anything\r\nConnection: Upgrade\r\n\r\n' + 'x'.repeat(300_000),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const { url } = await front(t, (upgrade) =>
    forwardUpgrade(upgrade, {
      origin,
      path: '/there?a=1',
      without: new Set(['authorization']),
      added: { 'x-more': ['yes', 'too'] },
    }),
  )
  const socket = connect(Number(url.port), '127.0.0.1')
  socket.write(
    'POST /here HTTP/1.1\r\nHost: me\r\nAuthorization: Bearer secret\r\nConnection: Upgrade\r\nUpgrade: anything\r\nX-Kept: 1\r\n\r\n',
  )
  const answer = await textOf(socket)
  assert.equal(
    answer.length,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: anything\r\nConnection: Upgrade\r\n\r\n'.length + 300_000,
  )
  assert.match(
    seen[0]!,
    /^POST \/there\?a=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nConnection: Upgrade\r\nUpgrade: anything\r\nX-Kept: 1\r\nx-more: yes\r\nx-more: too\r\nContent-Length: 0\r\n\r\n$/,
  )
})

/** A server of requests that stays one, whatever it is asked; the front with which it is reached, and what it saw. */
async function stubborn(t: TestContext, code: number) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.writeHead(code, { 'X-Kept': '1' }).end('no')
  })
  server.on('upgrade', (request, socket: Duplex) => {
    seen.push(`${request.method} ${request.url}`)
    // As Go's servers: the connection goes on.
    socket.write(`HTTP/1.1 ${code} Whatever\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\nno`)
    socket.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
  })
  const origin = await listen(t, server)
  const { url, done } = await front(t, (upgrade) => forwardUpgrade(upgrade, { origin, path: '/there' }))
  return { seen, done, port: Number(url.port) }
}

const ask = 'POST /here HTTP/1.1\r\nHost: me\r\nConnection: Upgrade\r\nUpgrade: anything\r\n\r\n'

test('a refused upgrade comes back, and its connection takes no other request of the client', async (t) => {
  const { seen, done, port } = await stubborn(t, 403)
  const socket = connect(port, '127.0.0.1')
  // The second request rides on the first, and on a connection with credentials that are not the client's.
  socket.write(`${ask}GET /secret HTTP/1.1\r\nHost: me\r\n\r\n`)
  const answer = await textOf(socket)
  assert.equal(answer, 'HTTP/1.1 403 Whatever\r\nX-Kept: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno')
  assert.equal(await done, 403)
  assert.deepEqual(seen, ['POST /there'])
})

test('a server that neither switches nor refuses is an error', async (t) => {
  const { done, port } = await stubborn(t, 200)
  const socket = connect(port, '127.0.0.1')
  socket.write(ask)
  await assert.rejects(done, { name: 'UpgradeError', message: 'invalid upgrade response: status code 200' })
  socket.destroy()
})

test('a client that goes away before the answer leaves no connection behind', async (t) => {
  const [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const server = createTcp((backend) => {
    backend.once('data', () => asked.resolve()).once('close', () => left.resolve())
    backend.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const { url, done } = await front(t, (upgrade) => forwardUpgrade(upgrade, { origin, path: '/' }))
  const socket = connect(Number(url.port), '127.0.0.1')
  socket.write(ask)
  await asked.promise
  socket.resetAndDestroy()
  await assert.rejects(done, UpgradeError)
  await left.promise
})

test('nobody at the other end is an error that says so, before anything is answered', async (t) => {
  const server = createTcp().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const { url, done } = await front(t, (upgrade) =>
    forwardUpgrade(upgrade, { origin: new URL(`http://127.0.0.1:${port}`), path: '/' }),
  )
  const socket = connect(Number(url.port), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: me\r\nConnection: Upgrade\r\nUpgrade: anything\r\n\r\n')
  await assert.rejects(
    done,
    (error: Error) =>
      error instanceof DialError && error.message === `dial tcp 127.0.0.1:${port}: connect: connection refused`,
  )
  socket.destroy()
})
