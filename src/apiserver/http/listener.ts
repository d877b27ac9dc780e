import { createServer as createHttp1, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTls, type TLSSocket } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
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
  /** Takes no new connections, ends the open ones. */
  close(): Promise<void>
}

/** How long a connection without a request stays open. As long as Go's clients keep theirs, so that they close first. */
const idleMs = 180_000

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
  const http1 = newHttp1(handler, peerOf, turns)
  const http2 = createHttp2({
    settings: { maxConcurrentStreams: concurrentStreamsMax, initialWindowSize: 1 << 20, enablePush: false },
    maxSessionMemory: 64,
  })
  http2.on('session', (session) => session.setLocalWindowSize(1 << 22))
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
  server.on('connection', () => turns.arrival())
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
  return {
    host: options.host,
    port: (server.address() as AddressInfo).port,
    setTls: (tls) => server.setSecureContext(tlsOptions(tls)),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      http1.closeIdleConnections()
      for (const socket of connections) socket.destroy()
      http1.close()
      http2.close()
      await closed
    },
  }
}

function newHttp1(handler: Handler, peerOf: (socket: Socket) => Peer, turns: Turns): Server {
  const server = createHttp1({
    keepAliveTimeout: idleMs,
    requestTimeout: 60_000,
    headersTimeout: 30_000,
    maxHeaderSize: 1 << 20,
    noDelay: true,
  })
  server.on('request', (request, response) =>
    handler.handle(new Http1Exchange(request, response, peerOf(request.socket), turns)),
  )
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    handler.upgrade(request, socket, head, peerOf(request.socket)),
  )
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end(
        'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request',
      )
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
