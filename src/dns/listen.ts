import { createSocket } from 'node:dgram'
import type { Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Logger } from '../base/log.ts'
import type { Responder } from './responder.ts'

/** Where the server listens, on UDP and TCP. */
export interface DnsAddress {
  readonly host: string
  /** 0: any that is free on both. */
  readonly port: number
}

/** Listens; closing ends open connections. */
export interface Listening {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** A connection without a question for this long is closed. */
const idleMs = 10_000
const connectionsMax = 500
/** Questions of one connection that wait for their answer. */
const pipelinedMax = 100
/** Bytes of answers that wait for a client to read them: the largest answer and as much again. */
const unreadBytesMax = 128 * 1024
/** Bytes of UDP questions that the kernel keeps while we are busy. */
const receiveBufferBytes = 4 * 1024 * 1024

/** Opens one address on both transports. */
export async function listen(address: DnsAddress, responder: Responder, log: Logger): Promise<Listening> {
  const tcp = await listenTcp(address, responder)
  const bound = tcp.address()
  const port = typeof bound === 'object' && bound ? bound.port : address.port
  try {
    const udp = await listenUdp({ host: address.host, port }, responder, log)
    return { host: address.host, port, close: () => close(udp, tcp) }
  } catch (error) {
    tcp.close()
    throw error
  }
}

function listenUdp({ host, port }: DnsAddress, responder: Responder, log: Logger): Promise<UdpSocket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes })
  socket.on('message', (message, from) => {
    // Nobody can be answered there, and trying to is an error.
    if (from.port === 0) return
    const send = (answer: Buffer | undefined) => {
      if (answer) socket.send(answer, from.port, from.address, ignore)
    }
    const answer = responder.respond(message, 'udp')
    if (answer instanceof Promise)
      answer.then(send).catch((error: unknown) => log.error({ err: error }, 'a DNS question could not be answered'))
    else send(answer)
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, () => {
      socket.removeListener('error', reject)
      // A client that is gone is no failure of ours.
      socket.on('error', ignore)
      resolve(socket)
    })
  })
}

const ignore = () => {}

function listenTcp({ host, port }: DnsAddress, responder: Responder): Promise<Server> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    serveConnection(socket, responder)
  })
  connections.set(server, open)
  server.maxConnections = connectionsMax
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.removeListener('error', reject)
      server.on('error', ignore)
      resolve(server)
    })
  })
}

/** The open connections of each server: it cannot close before they do. */
const connections = new WeakMap<Server, Set<Socket>>()

function serveConnection(socket: Socket, responder: Responder): void {
  let received: Buffer = Buffer.alloc(0)
  let waiting = 0
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', ignore)
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const message = Buffer.from(received.subarray(2, end))
      received = received.subarray(end)
      if (++waiting > pipelinedMax) return void socket.destroy()
      Promise.resolve(responder.respond(message, 'tcp')).then(
        (answer) => {
          waiting--
          if (!answer || socket.writableLength > unreadBytesMax) return void socket.destroy()
          const length = Buffer.alloc(2)
          length.writeUInt16BE(answer.length)
          socket.write(Buffer.concat([length, answer]))
        },
        () => socket.destroy(),
      )
    }
  })
}

async function close(udp: UdpSocket, tcp: Server): Promise<void> {
  const tcpClosed = new Promise((resolve) => tcp.close(resolve))
  for (const socket of connections.get(tcp) ?? []) socket.destroy()
  await Promise.all([tcpClosed, new Promise<void>((resolve) => udp.close(() => resolve()))])
}
