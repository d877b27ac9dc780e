import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { Dial, HttpAnswer, HttpProbe } from '../host.ts'

/** What of a body is read: upstream's limit for what a message shows. */
const bodyBytesMax = 10 * 1024
/** Redirects within the same host. */
const redirectsMax = 10

/** Probes and hooks over the machine's own network. */
export const linuxDial: Dial = {
  http: (request) => follow(request, 0),
  tcp: (host, port, timeoutMs) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ host, port })
      socket.setTimeout(timeoutMs, () =>
        socket.destroy(new Error(`dial tcp ${net.isIPv6(host) ? `[${host}]` : host}:${port}: i/o timeout`)),
      )
      socket.once('connect', () => {
        socket.destroy()
        resolve()
      })
      socket.once('error', (error: NodeJS.ErrnoException) => reject(new Error(dialText(error, host, port))))
    }),
  async grpc(host, port, service, timeoutMs) {
    const { grpcHealth } = await import('./grpc-health.ts')
    return grpcHealth({ host, port, service, timeoutMs })
  },
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
}

/** As Go words a failed dial: probes' events show it. */
function dialText(error: NodeJS.ErrnoException, host: string, port: number): string {
  const reason = reasons[error.code ?? '']
  return reason ? `dial tcp ${net.isIPv6(host) ? `[${host}]` : host}:${port}: ${reason}` : error.message
}

async function follow(request: HttpProbe, redirects: number): Promise<HttpAnswer> {
  const { status, body, location } = await once(request)
  if (status < 300 || status >= 400 || !location) return { status, body, redirectedAway: false }
  const from = new URL(
    `${request.scheme}://${net.isIPv6(request.host) ? `[${request.host}]` : request.host}:${request.port}${request.path}`,
  )
  const to = new URL(location, from)
  if (to.hostname !== from.hostname) return { status, body, redirectedAway: true }
  if (redirects >= redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`)
  const scheme = to.protocol === 'https:' ? 'https' : 'http'
  return follow(
    { ...request, scheme, port: Number(to.port) || (scheme === 'https' ? 443 : 80), path: to.pathname + to.search },
    redirects + 1,
  )
}

function once(request: HttpProbe): Promise<{ status: number; body: string; location: string | undefined }> {
  const { scheme, host, port, path, headers, timeoutMs } = request
  return new Promise((resolve, reject) => {
    const list: Record<string, string[]> = {}
    for (const [name, value] of headers) (list[name] ??= []).push(value)
    const url = `${scheme}://${net.isIPv6(host) ? `[${host}]` : host}:${port}${path.startsWith('/') ? path : `/${path}`}`
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `Get "${url}": ${error.name === 'TimeoutError' ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : dialText(error, host, port)}`,
        ),
      )
    const options: https.RequestOptions = {
      host,
      port,
      path: path || '/',
      method: 'GET',
      headers: list,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      rejectUnauthorized: false,
    }
    const call = (scheme === 'https' ? https : http).request(options, (answer) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const done = () => {
        resolve({
          status: answer.statusCode ?? 0,
          body: Buffer.concat(chunks).subarray(0, bodyBytesMax).toString('utf8'),
          location: answer.headers.location,
        })
        call.destroy()
      }
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes >= bodyBytesMax) done()
      })
      answer.on('end', done)
      answer.on('error', (error) => fail(deadline(error)))
    })
    call.on('error', (error) => fail(deadline(error)))
    call.end()
  })
}

/** An aborted request fails as its time limit. */
const deadline = (error: Error): NodeJS.ErrnoException =>
  error.name === 'AbortError' ? Object.assign(new Error('timeout'), { name: 'TimeoutError' }) : error
