import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { DialError, dialFailure, tlsOptions, type Target } from './forward.ts'

/** What to ask for. */
export interface UpgradeAsk extends Target {
  readonly path: string
  /** For X-Stream-Protocol-Version. */
  readonly protocols: readonly string[]
}

/** The other side's answer. */
export type UpgradeAnswer =
  | { readonly switched: true; readonly protocol: string; readonly socket: Duplex; readonly head: Buffer }
  | { readonly switched: false; readonly code: number; readonly contentType: string; readonly body: string }

/** The most of a refusal's text that is read. */
const refusalBytesMax = 50_000

/** Asks for SPDY/3.1. Rejects with a `DialError` when nobody answers. */
export function askForSpdy({ origin, tls, path, protocols }: UpgradeAsk): Promise<UpgradeAnswer> {
  const secure = origin.protocol === 'https:'
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = Number(origin.port) || (secure ? 443 : 80)
  return new Promise((resolve, reject) => {
    const asked = (secure ? httpsRequest : httpRequest)({
      host,
      port,
      path,
      method: 'POST',
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': [...protocols],
        'content-length': '0',
      },
      ...(secure && tlsOptions(tls)),
    })
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(new DialError(dialFailure(error, host, port), { cause: error })),
    )
    asked.on('upgrade', (response, socket, head) =>
      resolve({ switched: true, protocol: String(response.headers['x-stream-protocol-version'] ?? ''), socket, head }),
    )
    asked.on('response', (response) => {
      readText(response).then(
        (body) =>
          resolve({
            switched: false,
            code: response.statusCode ?? 500,
            contentType: response.headers['content-type'] ?? 'text/plain',
            body,
          }),
        reject,
      )
    })
    asked.end()
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.length
    if (size > refusalBytesMax) break
  }
  return Buffer.concat(parts).toString()
}
