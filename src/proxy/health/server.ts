import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'

/** Where a server listens. */
export interface Listen {
  readonly host: string
  readonly port: number
}

/** A server that listens; closing ends open connections too. */
export interface ListeningServer {
  readonly port: number
  close(): Promise<void>
}

/** Starts an HTTP server; rejects when the address is taken. */
export async function listenHttp({ host, port }: Listen, handler: RequestListener): Promise<ListeningServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, handler)
  await listening(server, host, port)
  server.on('error', () => {})
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Checks send a line and want an answer at once. */
const requestTimeoutMs = 10_000

const listening = (server: Server, host: string, port: number) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })

/** Answers with JSON, as upstream's health servers do. */
export function answerJson(
  response: Parameters<RequestListener>[1],
  code: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff', ...headers })
  response.end(body)
}
