import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecure, type ConnectionOptions, type SecureContext } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import { AnswerParser, type AnswerSink } from './answer-parser.ts'

/** Where connections go, and how they are secured. */
export interface ConnectionsOptions {
  readonly clock: Clock
  readonly host: string
  readonly port: number
  /** Absent: without TLS. */
  readonly tls?: {
    /** One for all connections: making it parses the certificates, which costs more than the rest of a connection. */
    readonly context: SecureContext
    readonly serverName?: string | undefined
    readonly insecureSkipVerify?: boolean | undefined
  }
}

/** Who waits for an answer. After `end` or `fail`, one of which is called once, nothing more is. */
export interface Exchange extends AnswerSink {
  end(): void
  fail(error: Error): void
}

/** A request that was sent. Once its exchange is over, nothing of this has an effect: the connection may be another's by then. */
export interface Sent {
  /** Gives the exchange up: the connection ends, and the exchange fails with this. */
  abort(reason: Error): void
  /** While paused, nothing more is read: for whoever does not keep up. */
  pause(): void
  resume(): void
}

const tcpKeepAliveMs = 30_000
/** Idle connections that are kept; upstream's client keeps 25 a host. */
const idleMax = 64
/** A connection is not used any more when the server will close it this soon. */
const closingSoonMs = 1000

/**
 * Kept-alive HTTP/1.1 connections to one server; each carries one exchange at a time, and the one used last is used next. An idle one does not keep the process
 * alive.
 */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()
  #retired = false
  /** What the server gave to resume a TLS session with. */
  #session: Buffer | undefined

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Sends a whole request, head and body. */
  send(request: string, exchange: Exchange): Sent {
    const connection = this.#takeIdle() ?? this.#connect()
    connection.send(request, exchange)
    return {
      abort: (reason) => connection.abort(exchange, reason),
      pause: () => connection.pause(exchange),
      resume: () => connection.resume(exchange),
    }
  }

  /** Connections end when their exchange does, and none is kept. */
  retire(): void {
    this.#retired = true
    for (const connection of this.#idle.splice(0)) connection.end()
  }

  /** All connections end now. */
  close(reason: Error): void {
    this.retire()
    for (const connection of [...this.#open]) connection.end(reason)
  }

  #takeIdle(): Connection | undefined {
    const nowMs = this.#options.clock.now()
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (nowMs < connection.usableUntilMs) return connection
      connection.end()
    }
    return undefined
  }

  #connect(): Connection {
    const { clock } = this.#options
    const connection: Connection = new Connection(this.#socket(), clock, {
      free: () => {
        if (this.#retired || this.#idle.length >= idleMax) connection.end()
        else this.#idle.push(connection)
      },
      gone: () => {
        this.#open.delete(connection)
        const at = this.#idle.indexOf(connection)
        if (at >= 0) this.#idle.splice(at, 1)
      },
    })
    this.#open.add(connection)
    return connection
  }

  #socket(): Socket {
    const { host, port, tls } = this.#options
    if (!tls) return connectPlain({ host, port })
    const options: ConnectionOptions = {
      host,
      port,
      secureContext: tls.context,
      ALPNProtocols: ['http/1.1'],
      ...(tls.serverName && { servername: tls.serverName }),
      ...(tls.insecureSkipVerify && { rejectUnauthorized: false }),
      ...(this.#session && { session: this.#session }),
    }
    const socket = connectSecure(options)
    socket.on('session', (session) => (this.#session = session))
    return socket
  }
}

interface Owner {
  /** The exchange is over, and the connection can carry another. */
  free(): void
  gone(): void
}

class Connection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #owner: Owner
  #exchange: Exchange | undefined
  #parser: AnswerParser | undefined
  /** The server closes an idle connection then. */
  usableUntilMs = Infinity

  constructor(socket: Socket, clock: Clock, owner: Owner) {
    this.#socket = socket
    this.#clock = clock
    this.#owner = owner
    socket.once('connect', () => socket.setNoDelay(true).setKeepAlive(true, tcpKeepAliveMs))
    socket.on('data', (bytes: Buffer) => this.#arrived(bytes))
    socket.on('error', (error) => this.end(error))
    socket.on('end', () => this.#ended())
    socket.on('close', () => {
      this.end()
      owner.gone()
    })
  }

  send(request: string, exchange: Exchange): void {
    this.#exchange = exchange
    this.#parser = new AnswerParser(exchange)
    this.#socket.ref()
    this.#socket.write(request)
  }

  abort(exchange: Exchange, reason: Error): void {
    if (this.#exchange === exchange) this.end(reason)
  }

  pause(exchange: Exchange): void {
    if (this.#exchange === exchange) this.#socket.pause()
  }

  resume(exchange: Exchange): void {
    if (this.#exchange === exchange) this.#socket.resume()
  }

  /** Ends the connection; an exchange that is under way fails with the reason. */
  end(reason?: Error): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#parser = undefined
    this.#socket.destroy()
    if (exchange) exchange.fail(reason ?? brokenOff())
  }

  #arrived(bytes: Buffer): void {
    // Nothing was asked: whatever this is, it must not be taken for the next answer.
    if (!this.#parser) return void this.#socket.destroy()
    try {
      if (this.#parser.feed(bytes)) this.#complete(this.#parser)
    } catch (error) {
      this.end(error as Error)
    }
  }

  #ended(): void {
    if (this.#parser?.ended()) this.#complete(this.#parser)
    else this.end()
  }

  #complete({ keepsAlive, keepAliveSeconds }: AnswerParser): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#parser = undefined
    // An answer that comes before the request is out: the rest of it would be read as the next.
    if (keepsAlive && this.#socket.writableLength === 0 && !this.#socket.isPaused() && !this.#socket.destroyed) {
      this.usableUntilMs =
        keepAliveSeconds === undefined ? Infinity : this.#clock.now() + keepAliveSeconds * 1000 - closingSoonMs
      this.#socket.unref()
      this.#owner.free()
    } else this.#socket.destroy()
    exchange?.end()
  }
}

/** The connection ended before the answer did. */
const brokenOff = () =>
  Object.assign(new Error('the connection to the API server ended before its answer did'), { code: 'ECONNRESET' })
