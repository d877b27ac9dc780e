import type { IncomingMessage } from 'node:http'
import { rootCertificates } from 'node:tls'
import { ApiError } from '../../api/errors/api-error.ts'
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Random } from '../../base/random.ts'
import type { Target } from '../../streaming/upgrade/forward.ts'
import { textAnswer, type Answer, type RawAnswer } from '../answer/answer.ts'
import type { User } from '../authn/user.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'
import { NoAddressError, serviceAddress } from '../outbound/service-address.ts'
import { forwardedHeaders, giveBack, giveUpgrade, sendOn } from '../proxying/forward.ts'
import { originOf } from '../proxying/kubelet-address.ts'
import type { Lookup } from '../registry/registry.ts'
import type { ApiRequest } from '../request/api-request.ts'

/** Who this server is towards the others: PEM texts. */
export interface ProxyClient {
  readonly cert: string
  readonly key: string
}

/** What passing on needs. */
export interface ForwardParts {
  readonly lookup: Lookup
  readonly random: Random
  readonly proxyClient: ProxyClient | undefined
}

type Service = Frozen<APIService>

/** The name by which the other server's certificate knows it. */
const serverName = ({ spec }: Service): string => `${spec?.service?.name}.${spec?.service?.namespace}.svc`

/** Where it is: one of the Service's endpoints. Throws a NoAddressError. */
export function targetOf({ lookup, random, proxyClient }: ForwardParts, service: Service): Target {
  const { namespace = '', name = '', port = 443 } = service.spec?.service ?? {}
  const address = serviceAddress(lookup, random, { namespace, name, port })
  const { caBundle, insecureSkipTLSVerify } = service.spec ?? {}
  const ca = insecureSkipTLSVerify
    ? undefined
    : caBundle
      ? Buffer.from(caBundle, 'base64').toString()
      : rootCertificates.join('\n')
  return {
    origin: originOf('https', address.host, address.port),
    tls: { ...proxyClient, ...(ca !== undefined && { ca }), servername: serverName(service) },
  }
}

/** The headers by which the front proxy says who the user is. */
export function userHeaders({ name, uid, groups, extra = {} }: User): Record<string, string | string[]> {
  return {
    'x-remote-user': name,
    ...(uid && { 'x-remote-uid': uid }),
    'x-remote-group': [...groups],
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [
        `x-remote-extra-${encodeURIComponent(key.toLowerCase())}`,
        [...values],
      ]),
    ),
  }
}

/** The answer to a request for what is served elsewhere: what that server says. */
export async function forwardRequest(parts: ForwardParts, service: Service, request: ApiRequest): Promise<Answer> {
  const target = addressed(parts, service)
  if (!target) return textAnswer(503, 'service unavailable\n')
  const { exchange, user, method } = request
  const added = { ...userHeaders(user), host: serverName(service) }
  if (!exchange) return inProcess(target, request, added)
  if (exchange instanceof UpgradeExchange) {
    await giveUpgrade(exchange, { ...target, path: exchange.target, added })
    return { type: 'taken' }
  }
  const declared = exchange.header('content-length') ?? exchange.header('transfer-encoding')
  const body =
    method === 'GET' || method === 'HEAD' || (exchange.protocol === 'HTTP/1.1' && declared === undefined)
      ? undefined
      : exchange.bodyStream()
  const answer = await sendOn(
    { target, method, path: exchange.target, headers: { ...forwardedHeaders(exchange), ...added }, exchange },
    body,
    unreachable,
  )
  await giveBack(exchange, answer)
  return { type: 'taken' }
}

function addressed(parts: ForwardParts, service: Service): Target | undefined {
  try {
    return targetOf(parts, service)
  } catch (error) {
    if (error instanceof NoAddressError) return undefined
    throw error
  }
}

const unreachable = (why: string): ApiError =>
  new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `error trying to reach service: ${why}`,
    reason: 'ServiceUnavailable',
    code: 503,
  })

/** For clients in this process: the answer as a whole. */
async function inProcess(
  target: Target,
  { info, query, method, body, contentType }: ApiRequest,
  headers: Record<string, string | string[]>,
): Promise<RawAnswer> {
  const parameters = new URLSearchParams(
    [...query.names()].flatMap((name) => query.all(name).map((value) => [name, value] as [string, string])),
  )
  const sent = method === 'GET' ? undefined : await body()
  const text =
    sent === undefined
      ? undefined
      : 'bytes' in sent
        ? sent.bytes
        : sent.value === undefined
          ? undefined
          : Buffer.from(JSON.stringify(sent.value))
  const { Readable } = await import('node:stream')
  const answer = await sendOn(
    {
      target,
      method,
      path: `${info.path}${parameters.size > 0 ? `?${parameters.toString()}` : ''}`,
      headers: {
        ...headers,
        accept: 'application/json',
        ...(text && { 'content-type': contentType ?? 'application/json', 'content-length': String(text.length) }),
      },
    },
    text && Readable.from([text]),
    unreachable,
  )
  const bytes = await wholeBody(answer)
  const code = answer.statusCode ?? 502
  if (code >= 400) throw failureOf(bytes, code)
  return { type: 'raw', code, contentType: answer.headers['content-type'] ?? 'application/json', body: bytes }
}

function failureOf(bytes: Buffer, code: number): ApiError {
  try {
    const status = JSON.parse(bytes.toString()) as ApiError['status']
    if (status.kind === 'Status') return new ApiError(status)
  } catch {
    // Not every server answers with a Status.
  }
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: bytes.toString(),
    code,
  })
}

/** An answer is not read beyond this. */
const bodyBytesMax = 64 << 20

/** The whole body of an answer. */
export async function wholeBody(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    parts.push(chunk)
    if ((size += chunk.length) > bodyBytesMax) throw new Error('the answer is too large')
  }
  return Buffer.concat(parts)
}
