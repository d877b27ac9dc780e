import type { RequestListener } from 'node:http'
import type { Server } from 'node:https'
import { createServer as createTcp, type AddressInfo, type Socket } from 'node:net'

/** A certificate with its private key, both PEM. */
export interface ServingPair {
  readonly cert: string
  readonly key: string
}

/** How a port is opened. */
export interface SecureListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Asked at each connection, so that a renewed certificate is taken; never before the first. */
  readonly serving: () => Promise<ServingPair>
  /** Authorities (PEM) whose client certificates are asked for, as they are now. Undefined: none are. */
  readonly clientCa?: (() => string | undefined | Promise<string | undefined>) | undefined
}

/** An open port. */
export interface SecureListener {
  readonly port: number
  /** Takes no new connections, ends the open ones. */
  close(): Promise<void>
}

/** Open connections at a time: checks and scrapes need a handful. */
const connectionsMax = 256
/** A connection on which nothing comes or goes for so long while a request is under way ends; so does one that has not shaken hands. */
const silenceMs = 32_000
const handshakeTimeoutMs = 10_000
/** How long a connection without a request stays open: longer than between two scrapes. */
const idleMs = 90_000

/** Opens an HTTPS port that is only a socket until somebody connects: TLS is set up, and a certificate made, for the first who does. Rejects when the address is taken. */
export async function listenSecurely(options: SecureListenOptions, answer: RequestListener): Promise<SecureListener> {
  const sockets = new Set<Socket>()
  const secured = new SecuredServer(options, answer)
  const door = createTcp((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    secured.current().then(
      (server) => server.emit('connection', socket),
      () => socket.destroy(),
    )
  })
  door.maxConnections = connectionsMax
  await new Promise<void>((resolve, reject) => {
    door.once('error', reject)
    door.listen({ host: options.host, port: options.port }, () => {
      door.removeListener('error', reject)
      resolve()
    })
  })
  door.on('error', () => {})
  return {
    port: (door.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => door.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      secured.close()
      await closed
    },
  }
}

/** The TLS server behind the door, with the certificate and the authorities of the moment. */
class SecuredServer {
  readonly #options: SecureListenOptions
  readonly #answer: RequestListener
  #server: Promise<Server> | undefined
  #material = ''

  constructor(options: SecureListenOptions, answer: RequestListener) {
    this.#options = options
    this.#answer = answer
  }

  async current(): Promise<Server> {
    const pair = await this.#options.serving()
    const ca = await this.#options.clientCa?.()
    const tls = {
      ...pair,
      requestCert: ca !== undefined,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2' as const,
      ...(ca !== undefined && { ca }),
    }
    const material = `${pair.cert}${ca}`
    this.#server ??= this.#open(tls)
    const server = await this.#server
    if (material !== this.#material) server.setSecureContext(tls)
    this.#material = material
    return server
  }

  close(): void {
    // It never listened itself: there is nothing to wait for.
    void this.#server?.then((server) => server.closeAllConnections()).catch(() => {})
  }

  async #open(tls: object): Promise<Server> {
    const { createServer } = await import('node:https')
    const server = createServer(
      { ...tls, handshakeTimeout: handshakeTimeoutMs, keepAliveTimeout: idleMs, noDelay: true },
      this.#answer,
    )
    server.timeout = silenceMs
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    return server
  }
}
