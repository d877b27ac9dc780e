import type { IncomingMessage } from 'node:http'
import type { Upgrade } from '../../streaming/upgrade/upgrade.ts'
import type { KubeletServerOptions } from './kubelet-server.ts'

/** A request to the kubelet of a user who may make it. */
export interface KubeletRequest {
  readonly method: string
  readonly url: URL
  /** What the path's pattern took: `{namespace}`, `{pod}` … */
  readonly params: Readonly<Record<string, string>>
  readonly message: IncomingMessage
  /** The connection, when the client asks for another protocol on it. */
  readonly upgrade: Upgrade | undefined
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  readonly server: KubeletServerOptions
}

/** What is answered; 'taken': the endpoint has taken the connection over. */
export type KubeletAnswer =
  | {
      readonly code: number
      readonly contentType: string
      readonly body: string | Uint8Array | AsyncIterable<Uint8Array>
    }
  | 'taken'

/** Answers one sort of requests. */
export type Endpoint = (request: KubeletRequest) => KubeletAnswer | Promise<KubeletAnswer>

/** A refusal with its code: answered as plain text. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** An answer of plain text. */
export const text = (body: string, code = 200): KubeletAnswer => ({
  code,
  contentType: 'text/plain; charset=utf-8',
  body,
})

/** An answer of JSON. */
export const json = (value: unknown): KubeletAnswer => ({
  code: 200,
  contentType: 'application/json',
  body: JSON.stringify(value),
})

/** Metrics as Prometheus reads them. */
export const prometheus = (body: string): KubeletAnswer => ({
  code: 200,
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  body,
})
