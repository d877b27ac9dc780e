import { ServerResponse, type IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import { newAuthentication, type Credentials } from '../../serving/authentication.ts'
import { UpgradeError } from '../../streaming/upgrade/forward.ts'
import type { Upgrade } from '../../streaming/upgrade/upgrade.ts'
import type { KubeletConfiguration } from '../config.ts'
import type { Kubelet } from '../kubelet.ts'
import { actionOf, newAuthorization } from './access/authorization.ts'
import { Refusal, text, type KubeletAnswer, type KubeletRequest } from './request.ts'
import { newRequestMetrics } from './request-metrics.ts'
import { findRoute } from './routes.ts'

/** What the server is made of. */
export interface KubeletServerOptions extends Deps {
  readonly kubelet: Kubelet
  readonly runtime: ContainerRuntime
  /** Asked who a token belongs to and what a user may do. */
  readonly client: Client
  /** Told by /configz. */
  readonly config?: KubeletConfiguration | undefined
  /** Served by /logs/. Default /var/log. */
  readonly logsDir?: string | undefined
  /** Aborted when the server closes: sessions end then. */
  readonly closing: AbortSignal
}

/** How it is started. PEM texts. */
export interface KubeletListenOptions extends Omit<KubeletServerOptions, 'closing'> {
  readonly host: string
  /** Upstream's is 10250; 0 takes a free one. */
  readonly port: number
  readonly serving: { readonly cert: string; readonly key: string }
  /** Client certificates of this CA are users. Absent: only tokens are. */
  readonly clientCa?: string | undefined
}

/** A kubelet's server that runs. */
export interface KubeletServer {
  readonly port: number
  /** Takes a renewed certificate. */
  setServing(serving: { readonly cert: string; readonly key: string }): void
  close(): Promise<void>
}

/** authentication.webhook.cacheTTL */
const tokenTtlMs = 120_000
/** As Go's servers: a command to run is part of the address, and may be long. */
const headerBytesMax = 1 << 20

/** Opens the kubelet's HTTPS port: logs, exec, attach, port-forward, metrics and statistics of the node's pods. */
export async function startKubeletServer(options: KubeletListenOptions): Promise<KubeletServer> {
  const { client, clock, kubelet, serving, clientCa, host, port } = options
  const closing = new AbortController()
  const context: Context = {
    server: { ...options, closing: closing.signal },
    authenticate: newAuthentication({ client, clock, tokenTtlMs }),
    authorize: newAuthorization({ client, clock, nodeName: kubelet.nodeName }),
  }
  const tls = (pair: { readonly cert: string; readonly key: string }) => ({
    ...pair,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true }),
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2' as const,
  })
  const server = createServer({
    ...tls(serving),
    keepAliveTimeout: 90_000,
    maxHeaderSize: headerBytesMax,
    noDelay: true,
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const measure = newRequestMetrics(options.metrics, clock)
  server.on('request', (message, response) => {
    measure(message, response)
    answer(context, message, response, undefined).catch(() => response.destroy())
  })
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A connection that wants another protocol can still be answered in this one.
    const response = new ServerResponse(message)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Socket)
    response.on('finish', () => socket.end())
    socket.on('error', () => socket.destroy())
    measure(message, response)
    answer(context, message, response, { request: message, socket, head }).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    setServing: (pair) => server.setSecureContext(tls(pair)),
    async close() {
      closing.abort(new Error('the kubelet is stopping'))
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

interface Context {
  readonly server: KubeletServerOptions
  readonly authenticate: (message: IncomingMessage) => Promise<Credentials>
  readonly authorize: ReturnType<typeof newAuthorization>
}

async function answer(
  context: Context,
  message: IncomingMessage,
  response: ServerResponse,
  upgrade: Upgrade | undefined,
): Promise<void> {
  let given: KubeletAnswer
  try {
    given = await respond(context, message, response, upgrade)
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof UpgradeError))
      context.server.log.warn({ err: error, path: message.url }, 'a request to the kubelet failed')
    given = text(error instanceof Error ? error.message : String(error), error instanceof Refusal ? error.code : 500)
  }
  if (given === 'taken') return
  response.setHeader('content-type', given.contentType)
  response.statusCode = given.code
  const { body } = given
  if (message.method === 'HEAD') return void response.end()
  if (typeof body === 'string' || body instanceof Uint8Array) return void response.end(body)
  response.flushHeaders()
  // The client may go at any time.
  await pipeline(body, response).catch(() => response.destroy())
}

async function respond(
  { server, authenticate, authorize }: Context,
  message: IncomingMessage,
  response: ServerResponse,
  upgrade: Upgrade | undefined,
): Promise<KubeletAnswer> {
  const method = message.method ?? 'GET'
  const url = new URL(message.url ?? '/', 'https://kubelet')
  const user = await authenticate(message)
  if (!user || user === 'refused') throw new Refusal(401, 'Unauthorized')
  const action = actionOf(method, url.pathname)
  if (!(await authorize(user, action)))
    throw new Refusal(
      403,
      `Forbidden (user=${user.name}, verb=${action.verb}, resource=nodes, subresource(s)=[${action.subresources.join(' ')}])`,
    )
  const route = findRoute(method, url.pathname)
  if (route === undefined) throw new Refusal(404, '404 page not found')
  if (route === 'method') throw new Refusal(405, '405: Method Not Allowed')
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const given = await route.endpoint({
    method,
    url,
    params: route.params,
    message,
    upgrade,
    signal: AbortSignal.any([gone.signal, server.closing]),
    server,
  } satisfies KubeletRequest)
  return given
}
