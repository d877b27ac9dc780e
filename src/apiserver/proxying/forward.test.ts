import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { Peer } from '../http/peer.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'
import { forwardedHeaders, giveBack, giveUpgrade, sendOn } from './forward.ts'

async function listening(t: TestContext, upgraded: (request: IncomingMessage, socket: Duplex, head: Buffer) => void) {
  const server = createServer().on('upgrade', upgraded)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

test('an upgrade goes to a server with whom it was meant for and whom it is from, without who may ask', async (t) => {
  const { promise: asked, resolve } = Promise.withResolvers<IncomingMessage>()
  const there = await listening(t, (request, socket) => {
    resolve(request)
    socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
  })
  const codes: number[] = []
  const here = await listening(t, (request, socket, head) => {
    const exchange = new UpgradeExchange(request, socket, head, new Peer('10.1.1.1', undefined))
    const added = { 'x-remote-group': ['one', 'two'] }
    void giveUpgrade(exchange, { origin: new URL(`http://127.0.0.1:${there}`), path: '/', added }).then(() =>
      codes.push(exchange.code),
    )
  })
  const client = connect(here, '127.0.0.1')
  client.write(
    `GET / HTTP/1.1\r\nHost: cluster:6443\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer x\r\nX-Remote-Group: system:masters\r\nX-Forwarded-For: 10.2.2.2\r\nSec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.c2VjcmV0, chat\r\n\r\n`,
  )
  const { headersDistinct: headers } = await asked
  assert.deepEqual(
    ['host', 'x-forwarded-for', 'x-remote-group', 'authorization', 'sec-websocket-protocol'].map(
      (name) => headers[name],
    ),
    [['cluster:6443'], ['10.2.2.2, 10.1.1.1'], ['one', 'two'], undefined, ['chat']],
  )
  await new Promise((closed) => client.resume().once('close', closed))
  assert.deepEqual(codes, [400], 'what was answered is known')
})

/** A proxy in front of a server, and a client that has asked. Every exchange is one that could be upgraded: they answer as others do. */
async function proxied(t: TestContext, answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close().closeAllConnections())
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const here = await listening(t, (request, socket, head) => {
    const exchange = new UpgradeExchange(request, socket, head, new Peer('10.1.1.1', undefined))
    const sent = { target: { origin }, method: 'GET', path: '/', headers: forwardedHeaders(exchange), exchange }
    sendOn(sent).then(
      (back) => giveBack(exchange, back, { html: (text) => text.toUpperCase() }),
      () => exchange.abort(),
    )
  })
  const client = connect(here, '127.0.0.1')
  client.write(
    'GET / HTTP/1.1\r\nHost: me\r\nConnection: Upgrade, X-Mine\r\nUpgrade: x\r\nX-Mine: 1\r\nX-Kept: 1\r\n\r\n',
  )
  t.after(() => client.destroy())
  return client
}

test('a client that goes away before the answer does not keep the other side at it', async (t) => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  const client = await proxied(t, (_request, response) => {
    response.once('close', leave)
    ask()
  })
  await asked
  client.resetAndDestroy()
  await left
})

test('headers that Connection names stay on their connection; a page is changed as a whole', async (t) => {
  const seen: unknown[] = []
  const client = await proxied(t, ({ headers }, response) => {
    seen.push(headers['x-mine'], headers['x-kept'])
    response.writeHead(200, {
      'content-type': 'text/html',
      connection: 'close, X-Theirs',
      'x-theirs': '1',
      'x-kept': '1',
    })
    response.write('<p>')
    response.end('one')
  })
  let text = ''
  for await (const chunk of client as AsyncIterable<Buffer>) text += chunk.toString()
  assert.deepEqual(seen, [undefined, '1'])
  assert.match(text, /x-kept: 1[^]*\r\n\r\n<P>ONE$/)
  assert.doesNotMatch(text, /x-theirs/)
})

test('a page that does not end is not gathered', async (t) => {
  const client = await proxied(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.write(Buffer.alloc(17 << 20, 'a'))
  })
  let bytes = 0
  for await (const chunk of client as AsyncIterable<Buffer>) if ((bytes += chunk.length) > 17 << 20) break
  assert.ok(bytes > 17 << 20)
})
