import { createServer as createHttp1, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttp2, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTls, type TLSSocket } from 'node:tls'
import { realClock, type Clock } from '../../base/clock.ts'
import type { Exchange } from './exchange.ts'
import { Http1Exchange } from './http1.ts'
import { Http2Exchange } from './http2.ts'
import { Peer } from './peer.ts'
import { Turns } from './turns.ts'

/** What a listener needs of TLS. PEM texts. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  /** CAs that client certificates may lead to. Without any, no certificate is asked for. */
  readonly clientCas?: readonly string[]
}

/** How a listener is opened. */
export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly tls: TlsMaterial
  readonly clock: Clock
}

/** Who answers: requests, and HTTP/1.1 connections that ask to become something else (exec, port-forward). */
export interface Handler {
  handle(exchange: Exchange): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, peer: Peer): void
}

/** An open port. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** Takes a renewed certificate; open connections keep theirs. */
  setTls(tls: TlsMaterial): void
  /** Takes no new connections, and tells the open ones that the request they are at is their last. */
  drain(): void
  /** Ends all connections, once what was answered has been sent. */
  close(): Promise<void>
}

/** How long a connection without a request stays open. As long as Go's clients keep theirs, so that they close first. */
const idleMs = 180_000

/** How long a client has at the end to take what it was answered: of the machine's time, in which sockets live. */
const lingerMs = 1_000

/** Streams a client may have open on one HTTP/2 connection at a time; upstream's default. */
const concurrentStreamsMax = 250

/** Opens a TLS port that speaks HTTP/2 and HTTP/1.1, whichever the client offers (HTTP/2 first: one connection then carries all of a client's watches). */
export async function listen(options: ListenOptions, handler: Handler): Promise<Listener> {
  const connections = new Set<TLSSocket>()
  const peers = new WeakMap<object, Peer>()
  const peerOf = (socket: Socket): Peer => {
    let peer = peers.get(socket)
    if (!peer) peers.set(socket, (peer = new Peer(socket.remoteAddress ?? '', socket as TLSSocket)))
    return peer
  }
  const turns = new Turns(options.clock)
  let closed: Promise<void> | undefined
  const http1 = newHttp1(
    handler,
    (request, response) => {
      if (closed) response.shouldKeepAlive = false
      return new Http1Exchange(request, response, peerOf(request.socket), turns)
    },
    peerOf,
  )
  const http2 = createHttp2({
    settings: { maxConcurrentStreams: concurrentStreamsMax, initialWindowSize: 1 << 20, enablePush: false },
    maxSessionMemory: 64,
  })
  const sessions = new Set<ServerHttp2Session>()
  http2.on('session', (session) => {
    session.setLocalWindowSize(1 << 22)
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  http2.on('stream', (stream, headers) =>
    handler.handle(new Http2Exchange(stream, headers, peerOf(stream.session!.socket as unknown as Socket), turns)),
  )
  http2.on('sessionError', () => {})
  const server = createTls({
    ...tlsOptions(options.tls),
    ALPNProtocols: ['h2', 'http/1.1'],
    noDelay: true,
    keepAlive: true,
  })
  // Those that have not said hello yet, too: they would hold the end up.
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    turns.arrival()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('secureConnection', (socket) => {
    turns.arrival()
    connections.add(socket)
    peerOf(socket)
    socket.on('close', () => connections.delete(socket))
    socket.on('error', () => socket.destroy())
    ;(socket.alpnProtocol === 'h2' ? http2 : http1).emit('connection', socket)
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  const port = (server.address() as AddressInfo).port
  const drain = (): void => {
    if (closed) return
    closed = new Promise((resolve) => server.close(() => resolve()))
    http1.closeIdleConnections()
    for (const session of sessions) session.close()
  }
  return {
    host: options.host,
    port,
    setTls: (tls) => server.setSecureContext(tlsOptions(tls)),
    drain,
    async close() {
      drain()
      // HTTP/2 sessions end by themselves with their last stream.
      for (const socket of connections) if (socket.alpnProtocol !== 'h2') socket.destroySoon()
      const cancel = realClock.after(lingerMs, () => sockets.forEach((socket) => socket.destroy()))
      await closed
      cancel()
      http1.close()
      http2.close()
    },
  }
}

function newHttp1(
  handler: Handler,
  exchangeOf: (request: IncomingMessage, response: ServerResponse) => Http1Exchange,
  peerOf: (socket: Socket) => Peer,
): Server {
  const server = createHttp1({
    keepAliveTimeout: idleMs,
    requestTimeout: 60_000,
    headersTimeout: 30_000,
    maxHeaderSize: 1 << 20,
    noDelay: true,
  })
  server.on('request', (request, response) => handler.handle(exchangeOf(request, response)))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    handler.upgrade(request, socket, head, peerOf(request.socket)),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    if (socket.writable)
      socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`)
    else socket.destroy()
  })
  return server
}

function tlsOptions({ cert, key, clientCas = [] }: TlsMaterial) {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2' as const,
    requestCert: clientCas.length > 0,
    rejectUnauthorized: false,
    ...(clientCas.length > 0 && { ca: [...clientCas] }),
  }
}
