import { ApiError, noSuchPath, notFound, tooManyRequests, unauthorized } from '../api/errors/api-error.ts'
import type { Deps } from '../base/deps.ts'
import type { KindTable } from '../api/table.ts'
import type { Answer } from './answer/answer.ts'
import type { Forms } from './answer/forms.ts'
import { negotiate, plainJson, prettyJson, wantsPretty, type Format } from './answer/negotiate.ts'
import { dateText, ResponseHeaders } from './answer/response-headers.ts'
import { apiErrorOf, methodNotAllowed, statusJson } from './answer/status.ts'
import { writeAnswer } from './answer/write-answer.ts'
import { impersonated } from './authn/impersonation.ts'
import { anonymous, mastersGroup, type User } from './authn/user.ts'
import { askOf, denied } from './authz/authorizer.ts'
import type { FlowControl } from './flowcontrol/flow-control.ts'
import type { Exchange } from './http/exchange.ts'
import type { RequestMetrics } from './metrics/request-metrics.ts'
import type { NonResource } from './non-resource.ts'
import { warn, type ApiRequest, type ResourceRequest } from './request/api-request.ts'
import { bodyBytesMax } from './request/parse-body.ts'
import { Query } from './request/query.ts'
import { requestInfoOf, type RequestInfo } from './request/request-info.ts'
import { checkTimeout } from './request/timeout.ts'
import type { Core } from './verbs/core.ts'
import { dispatch, type Subresources } from './verbs/dispatch.ts'

/** What happens to a request, in order, as upstream's audit names it. */
export type Stage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic'

/** Sees every request's stages: what an audit log is made of. */
export interface Audit {
  stage(stage: Stage, auditId: string, request: ApiRequest, code: number): void
}

/** What the pipeline is made of. */
export interface PipelineParts extends Deps {
  readonly core: Core
  readonly kinds: KindTable
  readonly authenticate: (exchange: Exchange) => User | undefined
  readonly subresources: Subresources
  /** Answers whatever is no resource of the table. */
  readonly nonResource: NonResource
  /** Answers what other servers serve. */
  readonly elsewhere?: ((request: ApiRequest) => Answer | Promise<Answer> | undefined) | undefined
  readonly forms: Forms
  readonly requestMetrics: RequestMetrics
  readonly audit?: Audit | undefined
  readonly inflightMax: number
  readonly flowControl: FlowControl
}

/** Requests that last: they do not count as being in flight. */
const lasting: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'log', 'proxy'])
const lasts = ({ verb, subresource }: RequestInfo): boolean => verb === 'watch' || lasting.has(subresource)

/** Subresources that lead into a container. */
const connecting: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

/** Verbs of collections, which exist across namespaces, too. */
const onCollections: ReadonlySet<string> = new Set(['list', 'watch', 'create', 'deletecollection', 'update', 'patch'])

/** The way of every request: who, what, may they, do it, answer. Synchronous as long as nothing waits. */
export class Pipeline {
  readonly #parts: PipelineParts
  readonly #date: () => string
  #inflight = 0
  #whenIdle: (() => void) | undefined

  constructor(parts: PipelineParts) {
    this.#parts = parts
    this.#date = dateText(parts.clock)
  }

  get clock(): Deps['clock'] {
    return this.#parts.clock
  }

  /** Takes a request off the wire and answers it. */
  handle(exchange: Exchange): void {
    const { random, clock, requestMetrics, audit } = this.#parts
    const auditId = exchange.header('audit-id') ?? random.uuid()
    const headers = new ResponseHeaders(auditId, this.#date())
    const startMs = performance.now()
    const request = this.#read(exchange)
    const done = () => {
      requestMetrics.done(request.info, exchange.code, performance.now() - startMs)
      audit?.stage('ResponseComplete', auditId, request, exchange.code)
    }
    const failed = (error: unknown) => {
      this.#fail(exchange, request, headers, error)
      done()
    }
    try {
      audit?.stage('RequestReceived', auditId, request, 0)
      if (!lasts(request.info)) checkTimeout(request.query.get('timeout'))
      const format = this.#formatOf(request, exchange)
      const user = this.#identify(exchange)
      if (user === anonymous && /^bearer {2}/i.test(exchange.header('authorization') ?? ''))
        warn(request, 'the provided Authorization header contains extra space before the bearer token, and is ignored')
      const authorized: ApiRequest = { ...request, user }
      headers.extra.push(...this.#parts.flowControl.headersFor(user, request.info))
      const pending = this.#answer(authorized, (answer) =>
        writeAnswer(
          {
            exchange,
            request: authorized,
            format: format(answer),
            headers,
            forms: this.#parts.forms,
            clock,
            nowMs: clock.now(),
          },
          answer,
        ),
      )
      if (pending) pending.then(done, failed)
      else done()
    } catch (error) {
      failed(error)
    }
  }

  /** Resolves when no request is being answered; those that last do not count. */
  idle(): Promise<void> {
    return this.#inflight === 0 ? Promise.resolve() : new Promise((resolve) => (this.#whenIdle = resolve))
  }

  /** Carries out a request of a user who is known: after authentication, whoever carried it here. */
  run(request: ApiRequest): Answer | Promise<Answer> {
    this.authorize(request)
    const elsewhere = this.#parts.elsewhere?.(request)
    if (elsewhere) return elsewhere
    const { info } = request
    const resourceRequest = info.isResource ? this.resourceRequest(request) : undefined
    // Upstream has no HEAD on what it stores, only on what it passes on.
    if (resourceRequest && request.method === 'HEAD' && info.subresource !== 'proxy') throw methodNotAllowed()
    if (!resourceRequest) return this.#unserved(request)
    return dispatch(this.#parts.core, this.#parts.subresources, resourceRequest)
  }

  /** Nothing in the table of kinds: other paths, other servers' groups, or nothing at all, which groups of our own tell as a Status. */
  #unserved(request: ApiRequest): Answer | Promise<Answer> {
    const { info, method } = request
    const kind = info.isResource ? this.#parts.kinds.byResource(info.group, info.version, info.resource) : undefined
    if (kind?.custom && info.subresource !== '' && kind.resource.namespaced === (info.namespace !== '')) {
      if (kind.deprecation !== undefined) warn(request, kind.deprecation)
      throw notFound(kind.resource, info.name)
    }
    const found = this.#parts.nonResource.answer(request)
    const own = this.#isOwnGroup(info.path)
    if (!own || found instanceof Promise || found.type !== 'raw' || found.code !== 404) return found
    const head = method === 'HEAD'
    throw head ? methodNotAllowed() : noSuchPath()
  }

  /** Whether a path is below the core group or another built-in one, whatever its version. */
  #isOwnGroup(path: string): boolean {
    if (path.startsWith('/api/')) return true
    if (!path.startsWith('/apis/')) return false
    const end = path.indexOf('/', 6)
    const group = path.slice(6, end < 0 ? undefined : end)
    if (group === '') return false
    return (
      this.#parts.kinds.group(group) !== undefined &&
      !this.#parts.kinds.all().some(({ resource, custom }) => custom && resource.group === group)
    )
  }

  /** Throws 403 unless the request's user may do it. */
  authorize({ user, info, query }: ApiRequest): void {
    if (user.groups.includes(mastersGroup)) return
    const ask = askOf(user, info, query.get('fieldSelector'), query.get('labelSelector'))
    const { verdict, reason } = this.#parts.core.authorizer.authorize(ask)
    if (verdict !== 'allow') {
      this.#parts.log.debug(
        { user: user.name, verb: ask.verb, path: info.path, subresource: ask.subresource },
        'denied',
      )
      throw denied(ask, reason)
    }
    // A WebSocket opens with GET, and is no less than what POST does.
    if (connecting.has(info.subresource) && ask.verb === 'get') {
      const create = { ...ask, verb: 'create' }
      const second = this.#parts.core.authorizer.authorize(create)
      if (second.verdict !== 'allow') throw denied(create, second.reason)
    }
  }

  /** The request with its kind; undefined when the table has no such resource. */
  resourceRequest(request: ApiRequest): ResourceRequest | undefined {
    const { group, version, resource, subresource: name, namespace, verb } = request.info
    const kind = this.#parts.kinds.byResource(group, version, resource)
    // An object of a namespaced kind has no path outside of its namespace.
    if (!kind || (kind.resource.namespaced && namespace === '' && !onCollections.has(verb))) return undefined
    // Nor one of the whole cluster inside of one; a namespace's own name looks like that to who reads paths.
    if (!kind.resource.namespaced && namespace !== '' && !(group === '' && resource === 'namespaces')) return undefined
    if (name === '') return { ...request, kind, subresource: undefined }
    // Only what is passed on has paths below it.
    if (name !== 'proxy' && request.info.rest.length > 1) return undefined
    const subresource = kind.subresources.find((each) => each.name === name)
    return subresource && { ...request, kind, subresource }
  }

  #answer(request: ApiRequest, write: (answer: Answer) => void | Promise<void>): void | Promise<void> {
    const { info } = request
    if (lasts(info)) {
      request.exchange?.onClose(this.#parts.requestMetrics.lasting(info))
      const answer = this.run(request)
      return answer instanceof Promise ? answer.then(write) : write(answer)
    }
    if (this.#inflight >= this.#parts.inflightMax && !request.user.groups.includes(mastersGroup))
      throw tooManyRequests('Too many requests, please try again later.', 1)
    this.#inflight++
    let answer: Answer | Promise<Answer>
    try {
      answer = this.run(request)
    } catch (error) {
      this.#answered()
      throw error
    }
    if (!(answer instanceof Promise)) {
      this.#answered()
      return write(answer)
    }
    return answer.then(write).finally(() => this.#answered())
  }

  #answered(): void {
    this.#inflight--
    if (this.#inflight === 0) this.#whenIdle?.()
  }

  #read(exchange: Exchange): ApiRequest {
    const { method, target } = exchange
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const query = mark < 0 ? Query.empty : Query.parse(target.slice(mark + 1))
    return {
      method,
      info: requestInfoOf(method, path, query.flag('watch'), nameInSelector(query)),
      query,
      user: nobody,
      contentType: exchange.header('content-type'),
      userAgent: exchange.header('user-agent') ?? '',
      body: async () => ({ bytes: await exchange.body(bodyBytesMax) }),
      warnings: [],
      exchange,
    }
  }

  #identify(exchange: Exchange): User {
    const user = this.#parts.authenticate(exchange)
    if (!user) throw unauthorized()
    return exchange.hasHeaderLike('impersonate-') ? impersonated(exchange, user, this.#parts.core.authorizer) : user
  }

  /** The form that the client takes, asked for when the answer is known: text has its own. What cannot be given is refused before anything is done. */
  #formatOf(request: ApiRequest, exchange: Exchange): (answer: Answer) => Format {
    const accept = exchange.header('accept')
    const { info } = request
    if (lasting.has(info.subresource)) return () => plainJson
    if (!info.isResource) return () => nonResourceFormat(accept)
    const format = negotiate(accept, (candidate) =>
      this.#parts.forms.can(candidate, info, this.#parts.kinds.byResource(info.group, info.version, info.resource)),
    )
    const pretty =
      !format.pretty &&
      format.encoding === 'json' &&
      info.verb !== 'watch' &&
      wantsPretty(request.query.get('pretty'), request.userAgent)
    const chosen = pretty ? (format === plainJson ? prettyJson : { ...format, pretty: true }) : format
    return () => chosen
  }

  #fail(exchange: Exchange, request: ApiRequest, headers: ResponseHeaders, error: unknown): void {
    const api = apiErrorOf(error, this.#parts.log, request.info.path)
    if (exchange.answered) return exchange.abort()
    const retry = api.status.details?.retryAfterSeconds
    if (retry) headers.extra.push('retry-after', String(retry))
    const format = errorFormat(exchange.header('accept'), wantsPretty(request.query.get('pretty'), request.userAgent))
    if (format === plainJson)
      return exchange.respond(
        api.code,
        headers.of(request.warnings, 'application/json'),
        request.method === 'HEAD' ? '' : `${statusJson(api.status)}\n`,
      )
    const { bytes, contentType } = this.#parts.forms.value(JSON.parse(statusJson(api.status)) as object, {
      format,
      query: request.query,
      nowMs: 0,
    })
    exchange.respond(api.code, headers.of(request.warnings, contentType), Buffer.from(bytes))
  }
}

const nobody: User = { name: '', groups: [] }

/** The name that a field selector fixes, for authorization by name. */
function nameInSelector(query: Query): string {
  const selector = query.get('fieldSelector')
  if (selector === undefined || !selector.includes('metadata.name=')) return ''
  const match = /(?:^|,)metadata\.name==?([^,=!\\]+)(?:,|$)/.exec(selector)
  return match?.[1] ?? ''
}

function nonResourceFormat(accept: string | undefined): Format {
  try {
    return negotiate(accept, () => true)
  } catch {
    return plainJson
  }
}

/** Errors are written in the form that was asked for where that is one for objects; else as JSON. */
function errorFormat(accept: string | undefined, pretty: boolean): Format {
  const json = pretty ? prettyJson : plainJson
  if (accept === undefined || accept.startsWith('application/json') || accept.startsWith('*/*')) return json
  try {
    const { encoding } = negotiate(accept, () => true)
    return encoding === 'json' ? json : { ...plainJson, encoding }
  } catch (error) {
    if (error instanceof ApiError) return json
    throw error
  }
}
