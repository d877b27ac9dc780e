import { ApiError, badRequest, internalError, invalid, notFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import { field, FieldErrors, nowhere } from '../../api/validation/field.ts'
import { textAnswer } from '../answer/answer.ts'
import { methodNotAllowed } from '../answer/status.ts'
import type { Exchange } from '../http/exchange.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'
import type { KubeletClientOptions } from '../options.ts'
import type { Lookup } from '../registry/registry.ts'
import type { Query } from '../request/query.ts'
import type { SubresourceHandler } from '../verbs/dispatch.ts'
import { plainFailure, sendOn } from './forward.ts'
import { containerOf, kubeletTarget } from './kubelet-address.ts'
import { bytesOverWebSocket, wantsWebSocket } from './log-socket.ts'

/** GET of a container's log, from the kubelet that has it. */
export function podLog(options: KubeletClientOptions | undefined): SubresourceHandler {
  return async (core, request) => {
    const { info, query, exchange, method } = request
    if (method !== 'GET') throw methodNotAllowed()
    checkLogOptions(query, info.name)
    const pod = core.registry.get(pods, info)
    if (!pod) throw notFound(pods, info.name)
    const container = containerOf(pod, query.get('container'))
    // A pod that is not on a node yet has said nothing.
    if (!pod.spec?.nodeName) return textAnswer(200, '', 'text/plain')
    const log = await open({
      lookup: core.registry,
      options,
      nodeName: pod.spec.nodeName,
      namespace: info.namespace,
      name: info.name,
      container,
      query,
      exchange,
    })
    if (!exchange) return textAnswer(200, await textOf(log.bytes), 'text/plain')
    if (log.stop) exchange.onClose(log.stop)
    if (exchange instanceof UpgradeExchange && wantsWebSocket(exchange)) {
      await bytesOverWebSocket(exchange, log.bytes)
      return { type: 'taken' }
    }
    const writer = exchange.stream(200, [
      'cache-control',
      'no-cache, private',
      'content-type',
      'text/plain',
      'date',
      new Date(core.clock.now()).toUTCString(),
    ])
    try {
      for await (const chunk of log.bytes) {
        if (writer.closed) break
        if (!writer.write(chunk)) await writer.drained()
      }
    } catch {
      // The kubelet, or the client, went away in the middle.
      exchange.abort()
    }
    writer.end()
    return { type: 'taken' }
  }
}

/** Which log of which node. */
interface Asked {
  readonly lookup: Lookup
  readonly options: KubeletClientOptions | undefined
  readonly nodeName: string
  readonly namespace: string
  readonly name: string
  readonly container: string
  readonly query: Query
  readonly exchange: Exchange | undefined
}

/** A log that is open. */
interface OpenLog {
  readonly bytes: AsyncIterable<Buffer>
  /** Of a log in this process; another one's ends with the client's connection. */
  readonly stop?: () => void
}

/** Opens the log at the node's kubelet. */
async function open({
  lookup,
  options,
  nodeName,
  namespace,
  name,
  container,
  query,
  exchange,
}: Asked): Promise<OpenLog> {
  const parameters = parametersOf(query)
  const local = options?.local?.(nodeName)
  if (local) {
    const stopped = new AbortController()
    const log = await local.log({ namespace, name }, container, { query: parameters, signal: stopped.signal })
    if ('text' in log) throw kubeletError(log.code, log.text, name)
    return { bytes: log.body as AsyncIterable<Buffer>, stop: () => stopped.abort() }
  }
  const { origin, tls } = kubeletTarget(lookup, options, nodeName)
  const target = {
    origin,
    ...(tls && { tls: query.flag('insecureSkipTLSVerifyBackend') ? { ...tls, ca: undefined } : tls }),
  }
  const path = `/containerLogs/${namespace}/${name}/${container}?${parameters.toString()}`
  const sent = { target, method: 'GET', path, headers: { host: origin.host }, exchange }
  const answer = await sendOn(sent, undefined, (why) => plainFailure(`Get "${origin.origin}${path}": ${why}`))
  if (answer.statusCode !== 200)
    throw kubeletError(answer.statusCode ?? 500, await textOf(answer, refusalBytesMax), name)
  return { bytes: answer as AsyncIterable<Buffer> }
}

const numbers = ['sinceSeconds', 'tailLines', 'limitBytes'] as const
const flags = ['follow', 'previous', 'timestamps'] as const

function parametersOf(query: Query): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const name of flags) if (query.flag(name)) parameters.append(name, 'true')
  for (const name of [...numbers, 'sinceTime']) {
    const value = query.get(name)
    if (value) parameters.append(name, value)
  }
  parameters.append('stream', query.get('stream') || 'All')
  return parameters
}

const streams = ['All', 'Stderr', 'Stdout']

function checkLogOptions(query: Query, name: string): void {
  const errors = new FieldErrors()
  const tail = query.integer('tailLines')
  if (tail !== undefined && tail < 0) errors.invalid(field('tailLines'), tail, 'must be greater than or equal to 0')
  const bytes = query.integer('limitBytes')
  if (bytes !== undefined && bytes < 1) errors.invalid(field('limitBytes'), bytes, 'must be greater than 0')
  const since = query.integer('sinceSeconds')
  if (since !== undefined && query.get('sinceTime'))
    errors.forbidden(nowhere(), 'at most one of `sinceTime` or `sinceSeconds` may be specified')
  else if (since !== undefined && since < 1) errors.invalid(field('sinceSeconds'), since, 'must be greater than 0')
  const stream = query.get('stream') || 'All'
  if (!streams.includes(stream)) errors.notSupported(field('stream'), stream, streams)
  if (stream !== 'All' && tail !== undefined)
    errors.forbidden(nowhere(), '`tailLines` and specific `stream` are mutually exclusive for now')
  if (!errors.empty) throw invalid('', 'PodLogOptions', name, errors)
}

/** The most of a refusal's text that is read. */
const refusalBytesMax = 50_000

async function textOf(bytes: AsyncIterable<Buffer>, bytesMax = Infinity): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    chunks.push(chunk)
    size += chunk.length
    if (size > bytesMax) break
  }
  return Buffer.concat(chunks).toString()
}

/** What a kubelet refused, as the Status that upstream makes of it. */
function kubeletError(code: number, text: string, name: string): ApiError {
  if (code === 400) return badRequest(text)
  if (code === 500) return internalError(text)
  const reason =
    {
      401: 'Unauthorized',
      403: 'Forbidden',
      404: 'NotFound',
      405: 'MethodNotAllowed',
      429: 'TooManyRequests',
      503: 'ServiceUnavailable',
    }[code] ?? (code >= 500 ? 'InternalError' : '')
  const lead =
    {
      401: 'the server has asked for the client to provide credentials',
      403: text,
      404: 'the server could not find the requested resource',
    }[code] ?? 'the server rejected our request for an unknown reason'
  const causes = [{ reason: 'UnexpectedServerResponse', message: text }]
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${lead} ( pods/log ${name})`,
    reason,
    details: { name, kind: 'pods/log', causes },
    code,
  })
}
