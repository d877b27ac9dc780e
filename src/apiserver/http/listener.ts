import { createServer as createHttp1, type IncomingMessage, type Server as Http1Server } from 'node:http'
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTls, type Server as TlsServer, type TLSSocket } from 'node:tls'
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
  const listener = new TlsListener(options, handler)
  await listener.open()
  return listener
}

class TlsListener implements Listener {
  readonly host: string
  port: number
  readonly #server: TlsServer
  readonly #http1: Http1Server
  readonly #http2: Http2Server
  /** Those that have not said hello yet, too: they would hold the end up. */
  readonly #sockets = new Set<Socket>()
  readonly #secured = new Set<TLSSocket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #peers = new WeakMap<Socket, Peer>()
  readonly #turns: Turns
  #closed: Promise<void> | undefined

  constructor({ host, port, tls, clock }: ListenOptions, handler: Handler) {
    this.host = host
    this.port = port
    this.#turns = new Turns(clock)
    this.#http1 = this.#newHttp1(handler)
    this.#http2 = this.#newHttp2(handler)
    this.#server = createTls({
      ...tlsOptions(tls),
      ALPNProtocols: ['h2', 'http/1.1'],
      noDelay: true,
      keepAlive: true,
    })
    this.#server.on('connection', (socket) => this.#connected(socket))
    this.#server.on('secureConnection', (socket) => this.#secure(socket))
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  async open(): Promise<void> {
    const server = this.#server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: this.host, port: this.port, backlog: 1024 }, () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
    this.port = (server.address() as AddressInfo).port
  }

  setTls(tls: TlsMaterial): void {
    this.#server.setSecureContext(tlsOptions(tls))
  }

  drain(): void {
    if (this.#closed) return
    this.#closed = new Promise((resolve) => this.#server.close(() => resolve()))
    this.#http1.closeIdleConnections()
    for (const session of this.#sessions) session.close()
  }

  async close(): Promise<void> {
    this.drain()
    // HTTP/2 sessions end by themselves with their last stream.
    for (const socket of this.#secured) if (socket.alpnProtocol !== 'h2') socket.destroySoon()
    const cancel = realClock.after(lingerMs, () => this.#sockets.forEach((socket) => socket.destroy()))
    await this.#closed
    cancel()
    this.#http1.close()
    this.#http2.close()
  }

  #connected(socket: Socket): void {
    this.#turns.arrival()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #secure(socket: TLSSocket): void {
    this.#turns.arrival()
    this.#secured.add(socket)
    this.#peerOf(socket)
    socket.on('close', () => this.#secured.delete(socket))
    socket.on('error', () => socket.destroy())
    ;(socket.alpnProtocol === 'h2' ? this.#http2 : this.#http1).emit('connection', socket)
  }

  #peerOf(socket: Socket): Peer {
    let peer = this.#peers.get(socket)
    if (!peer) this.#peers.set(socket, (peer = new Peer(socket.remoteAddress ?? '', socket as TLSSocket)))
    return peer
  }

  #newHttp1(handler: Handler): Http1Server {
    const server = createHttp1({
      keepAliveTimeout: idleMs,
      requestTimeout: 60_000,
      headersTimeout: 30_000,
      maxHeaderSize: 1 << 20,
      noDelay: true,
    })
    server.on('request', (request, response) => {
      if (this.#closed) response.shouldKeepAlive = false
      handler.handle(new Http1Exchange(request, response, this.#peerOf(request.socket), this.#turns))
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      handler.upgrade(request, socket, head, this.#peerOf(request.socket)),
    )
    server.on('clientError', refuse)
    return server
  }

  #newHttp2(handler: Handler): Http2Server {
    const server = createHttp2({
      settings: { maxConcurrentStreams: concurrentStreamsMax, initialWindowSize: 1 << 20, enablePush: false },
      maxSessionMemory: 64,
    })
    server.on('session', (session) => {
      session.setLocalWindowSize(1 << 22)
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
    server.on('stream', (stream, headers) => {
      const peer = this.#peerOf(stream.session!.socket as unknown as Socket)
      handler.handle(new Http2Exchange(stream, headers, peer, this.#turns))
    })
    server.on('sessionError', () => {})
    return server
  }
}

/** Answers what is no HTTP/1.1. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  if (socket.writable)
    socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`)
  else socket.destroy()
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
