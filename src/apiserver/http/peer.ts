import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** Who is at the other end of a connection: made once a connection, shared by its requests. */
export class Peer {
  readonly address: string
  readonly #socket: TLSSocket | undefined
  #certificate: X509Certificate | null | undefined
  /** What authenticators remember of this connection's certificate. */
  memo: unknown

  constructor(address: string, socket: TLSSocket | undefined) {
    this.address = address
    this.#socket = socket
  }

  /** The client's certificate, verified or not; undefined when it sent none. */
  get certificate(): X509Certificate | undefined {
    this.#certificate ??= this.#socket?.getPeerX509Certificate() ?? null
    return this.#certificate ?? undefined
  }

  /** The certificate leads to one of the CAs that the listener was given. */
  get verified(): boolean {
    return this.#socket?.authorized ?? false
  }

  /** Why the certificate was not verified. */
  get verifyError(): string {
    const error: unknown = this.#socket?.authorizationError
    return error instanceof Error ? error.message : String(error ?? '')
  }

  /** The connection is encrypted. */
  get secure(): boolean {
    return this.#socket !== undefined
  }
}
