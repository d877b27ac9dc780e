import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { Peer } from '../http/peer.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'
import { giveUpgrade } from './forward.ts'

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
