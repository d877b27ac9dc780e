import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { StreamedAnswer, WholeAnswer } from './answers.ts'
import { Connections } from './connections.ts'

const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
const ok = (body: string, headers = '') => `HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`

/** A server that answers what a function writes, told which of its connections and requests it is. */
async function start(t: TestContext, answer: (socket: Socket, connection: number, request: number) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const connection = sockets.push(socket)
    let requests = 0
    socket.on('data', () => answer(socket, connection, ++requests))
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const clock = new VirtualClock(0)
  const connections = new Connections({ clock, host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  t.after(() => {
    connections.close(new Error('the test is over'))
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const ask = async () => {
    const whole = new WholeAnswer()
    const sent = connections.send(request, whole)
    return { sent, text: (await whole.answer).text }
  }
  return { clock, connections, sockets, ask }
}

test('a connection is used again, and several at a time are several', async (t) => {
  const { ask } = await start(t, (socket, connection, n) => socket.write(ok(`${connection}.${n}`)))
  assert.deepEqual([(await ask()).text, (await ask()).text], ['1.1', '1.2'])
  const both = await Promise.all([ask(), ask()])
  assert.deepEqual(both.map(({ text }) => text).sort(), ['1.3', '2.1'])
})

test('a connection that the server closes or is about to close is not used again', async (t) => {
  const { ask, clock } = await start(t, (socket, connection, n) => {
    if (connection === 1) socket.end(ok('1', 'connection: close\r\n'))
    else socket.write(ok(`${connection}.${n}`, 'keep-alive: timeout=5\r\n'))
  })
  assert.equal((await ask()).text, '1')
  assert.equal((await ask()).text, '2.1')
  await clock.advance(3_000)
  assert.equal((await ask()).text, '2.2')
  await clock.advance(4_500)
  assert.equal((await ask()).text, '3.1')
})

test("what comes without being asked for ends the connection, and is nobody's answer", async (t) => {
  const { ask, sockets } = await start(t, (socket, connection) => socket.write(ok(`${connection}`)))
  assert.equal((await ask()).text, '1')
  sockets[0]!.write(ok('forged'))
  await once(sockets[0]!, 'close')
  assert.equal((await ask()).text, '2')
})

test('giving up an exchange that is over does not touch the next one on its connection', async (t) => {
  const { ask, connections } = await start(t, (socket, connection, n) => {
    if (n === 1) socket.write(ok('1'))
    else setImmediate(() => socket.write(ok(`${connection}.${n}`)))
  })
  const { sent } = await ask()
  const second = new WholeAnswer()
  connections.send(request, second)
  sent.abort(new Error('too late'))
  assert.equal((await second.answer).text, '1.2')
})

test('a stream that nobody reads stops the sender, and all of it arrives when somebody does', async (t) => {
  const total = 64 << 20
  let written = 0
  const { connections } = await start(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`)
    const piece = Buffer.alloc(1 << 20)
    const write = () => {
      while (written < total) {
        written += piece.length
        if (!socket.write(piece)) return void socket.once('drain', write)
      }
    }
    write()
  })
  const stream = new StreamedAnswer()
  stream.sent = connections.send(request, stream)
  assert.equal(await stream.code, 200)
  for (let before = -1; before !== written;) {
    before = written
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(written < total / 2, `${written} bytes were taken`)
  let size = 0
  for (let pieces = await stream.next(); pieces; pieces = await stream.next())
    for (const piece of pieces) size += piece.length
  assert.equal(size, total)
})

test('closing fails what is under way with the reason', async (t) => {
  const { connections } = await start(t, () => connections.close(new Error('the client is closed')))
  const whole = new WholeAnswer()
  connections.send(request, whole)
  await assert.rejects(whole.answer, /the client is closed/)
})
