import { Agent, request } from 'node:https'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Lookup } from '../registry/registry.ts'
import { NoAddressError, serviceAddress } from './service-address.ts'

/** Where a webhook is, as its configuration says. */
export interface ClientConfig {
  readonly url?: string | undefined
  readonly service?:
    | {
        readonly namespace: string
        readonly name: string
        readonly path?: string | undefined
        readonly port?: number | undefined
      }
    | undefined
  /** PEM in base64. */
  readonly caBundle?: string | undefined
}

/** What calling needs. */
export interface Outbound {
  readonly lookup: Lookup
  readonly clock: Clock
  readonly random: Random
}

/** What is sent, and for how long the answer is waited for. */
export interface Posted {
  readonly config: ClientConfig
  readonly body: unknown
  readonly timeoutMs: number
}

/** How much of an error's text is passed on. */
const toldLengthMax = 2048
/** An answer is not read beyond this. */
const answerBytesMax = 16 << 20
/** Connections that stay open to one address. */
const idleConnectionsMax = 25

const agents = new Map<string, Agent>()
const agentsMax = 200

/** Connections are kept by the authority that vouches for the other side. */
function agentFor(ca: string | undefined): Agent {
  const key = ca ?? ''
  let agent = agents.get(key)
  if (!agent) {
    if (agents.size >= agentsMax) closeOutbound()
    agents.set(
      key,
      (agent = new Agent({
        keepAlive: true,
        maxFreeSockets: idleConnectionsMax,
        timeout: 90_000,
        ...(ca !== undefined && { ca }),
      })),
    )
  }
  return agent
}

/** Closes the connections that are kept. */
export function closeOutbound(): void {
  for (const agent of agents.values()) agent.destroy()
  agents.clear()
}

/** The address in words, as upstream's errors have it: a Service by its name. */
export function urlOf({ url, service }: ClientConfig): URL {
  if (url !== undefined) return new URL(url)
  const { namespace, name, path = '', port = 443 } = service!
  return new URL(`https://${name}.${namespace}.svc:${port}${path.startsWith('/') || path === '' ? path : `/${path}`}`)
}

/** Posts JSON and gives the JSON that is answered. Rejects with an Error whose text upstream's errors continue with. */
export async function postJson(
  { lookup, clock, random }: Outbound,
  { config, body, timeoutMs }: Posted,
): Promise<unknown> {
  const url = urlOf(config)
  url.searchParams.set('timeout', `${timeoutMs / 1000}s`)
  const fail = (why: string): never => {
    throw new Error(`Post ${JSON.stringify(url.href)}: ${why}`)
  }
  const address = config.service
    ? addressOf(lookup, random, config.service, fail)
    : { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 443 }
  const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString() : undefined
  const text = JSON.stringify(body)
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; text: string }>()
  const outgoing = request({
    ...address,
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    agent: agentFor(ca),
    ...(config.service && { servername: url.hostname }),
    headers: {
      host: url.host,
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'kube-apiserver-admission',
      'content-length': Buffer.byteLength(text),
    },
  })
  const cancel = clock.after(timeoutMs, () => outgoing.destroy(new Error('context deadline exceeded')))
  outgoing.on('error', reject)
  outgoing.on('response', (response) => {
    const parts: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      parts.push(chunk)
      if ((size += chunk.length) > answerBytesMax) outgoing.destroy(new Error('the answer is too large'))
    })
    response.on('error', reject)
    response.on('end', () => resolve({ code: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
  })
  outgoing.end(text)
  try {
    const answer = await promise
    if (answer.code < 200 || answer.code > 299) throw new Error(refusal(answer))
    return JSON.parse(answer.text)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return fail(dialText(error as NodeJS.ErrnoException, address))
    if (error instanceof Error && error.message === 'context deadline exceeded') return fail(error.message)
    throw error
  } finally {
    cancel()
  }
}

function addressOf(
  lookup: Lookup,
  random: Random,
  service: NonNullable<ClientConfig['service']>,
  fail: (why: string) => never,
): { host: string; port: number } {
  try {
    return serviceAddress(lookup, random, {
      namespace: service.namespace,
      name: service.name,
      port: service.port ?? 443,
    })
  } catch (error) {
    if (error instanceof NoAddressError) return fail(error.message)
    throw error
  }
}

const refusals: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  403: 'forbidden',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
}
const refusal = ({ code, text }: { code: number; text: string }): string =>
  refusals[code] ??
  (code >= 500
    ? `an error on the server (${JSON.stringify(text.trim().slice(0, toldLengthMax))}) has prevented the request from succeeding`
    : `the server responded with the status code ${code} but did not return more information`)

function dialText(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  const at = `dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}`
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${at}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `${at}: connect: no route to host`
    case 'ENOTFOUND':
      return `dial tcp: lookup ${host}: no such host`
    case 'ECONNRESET':
      return 'EOF'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
    default:
      return error.message
  }
}
