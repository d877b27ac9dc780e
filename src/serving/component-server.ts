import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { newAuthentication } from './authentication.ts'
import { newAccessReview } from './authorization.ts'
import { checkReport, healthReport, type CheckResult } from './health-report.ts'
import { HealthSlis } from './health-slis.ts'
import { listenSecurely, type SecureListener, type SecureListenOptions } from './secure-listener.ts'
import { anonymousUser, mastersGroup, type RequestUser } from './user.ts'

/** A check that a health endpoint makes. */
export interface HealthCheck {
  readonly name: string
  /** Why it fails; undefined when it does not. */
  readonly fault: () => string | undefined
}

/** What a component serves besides its work. */
export interface ComponentServerOptions extends Deps, SecureListenOptions {
  /** By endpoint ('healthz', 'livez', 'readyz'): what it checks just now. Without any check it answers `ping`. */
  readonly health: Readonly<Record<string, () => readonly HealthCheck[]>>
  /** What /configz tells: the configuration, without secrets. */
  readonly configz: () => object
  /** Asked who a token belongs to. Absent: everybody is anonymous who has no client certificate. */
  readonly authentication?: Client | undefined
  /** Asked who may see what. Absent: only health is shown, and everything to system:masters. */
  readonly authorization?: Client | undefined
}

/** --authentication-token-webhook-cache-ttl, --authorization-webhook-cache-authorized-ttl and -unauthorized-ttl */
const answerTtlMs = 10_000

/** Paths that everybody may see, as upstream's --authorization-always-allow-paths has them. */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz'])

const plainText = 'text/plain; charset=utf-8'
const prometheusText = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'

interface Page {
  readonly code: number
  readonly type: string
  readonly body: string
}

/** Opens the HTTPS port of a component: its health, its metrics and its configuration, to whom the API server lets see them. */
export function startComponentServer(options: ComponentServerOptions): Promise<SecureListener> {
  const { clock, log, authentication, authorization } = options
  const parts: Parts = {
    options,
    slis: new HealthSlis(),
    authenticate: newAuthentication({ client: authentication, clock, tokenTtlMs: answerTtlMs }),
    review:
      authorization &&
      newAccessReview({ client: authorization, clock, allowedTtlMs: answerTtlMs, deniedTtlMs: answerTtlMs }),
  }
  return listenSecurely(options, (message, response) => {
    pageOf(parts, message)
      .catch((error: unknown): Page => {
        log.warn({ err: error, path: message.url }, 'a request could not be answered')
        return {
          code: 500,
          type: plainText,
          body: `Internal Server Error: ${JSON.stringify(message.url)}: ${error instanceof Error ? error.message : String(error)}\n`,
        }
      })
      .then(
        (page) => send(page, message, response),
        () => response.destroy(),
      )
  })
}

interface Parts {
  readonly options: ComponentServerOptions
  readonly slis: HealthSlis
  readonly authenticate: ReturnType<typeof newAuthentication>
  readonly review: ReturnType<typeof newAccessReview> | undefined
}

async function pageOf(parts: Parts, message: IncomingMessage): Promise<Page> {
  const url = new URL(message.url ?? '/', 'https://component')
  const user = await authenticated(parts, message)
  if (user === 'refused') return statusPage(401, 'Unauthorized', 'Unauthorized')
  const verb = (message.method ?? 'GET').toLowerCase()
  const why = await refusal(parts, { user, verb, path: url.pathname })
  if (why !== undefined)
    return statusPage(
      403,
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(url.pathname)}${why && `: ${why}`}`,
    )
  return page(parts, url)
}

async function authenticated(
  { authenticate, options }: Parts,
  message: IncomingMessage,
): Promise<RequestUser | 'refused'> {
  try {
    return (await authenticate(message)) ?? anonymousUser
  } catch (error) {
    // Whoever cannot be asked about is not believed, as in upstream.
    options.log.warn({ err: error }, 'the API server could not be asked whose token it is')
    return 'refused'
  }
}

/** Why somebody may not see a path; undefined when they may. */
async function refusal(
  { review }: Parts,
  { user, verb, path }: { readonly user: RequestUser; readonly verb: string; readonly path: string },
): Promise<string | undefined> {
  if (openPaths.has(path) || user.groups.includes(mastersGroup)) return undefined
  const verdict = await review?.(user, { nonResourceAttributes: { path, verb } })
  return verdict?.allowed ? undefined : (verdict?.reason ?? '')
}

function page({ options, slis }: Parts, { pathname, searchParams }: URL): Page {
  switch (pathname) {
    case '/metrics':
      return { code: 200, type: prometheusText, body: options.metrics.text() }
    case '/metrics/slis':
      return { code: 200, type: prometheusText, body: slis.text() }
    case '/configz':
      return { code: 200, type: 'application/json', body: JSON.stringify(options.configz()) }
  }
  const [, root = '', name, ...rest] = pathname.split('/')
  const declared = options.health[root]?.()
  if (!declared || rest.length > 0) return notFound
  const checks: readonly HealthCheck[] = declared.length > 0 ? declared : [{ name: 'ping', fault: () => undefined }]
  if (name === undefined) {
    const results = checks.map((check): CheckResult => ({ name: check.name, fault: check.fault() }))
    for (const result of results) slis.observe(root, result.name, result.fault === undefined)
    const { code, text } = healthReport(root, results, {
      excluded: searchParams.getAll('exclude'),
      verbose: searchParams.has('verbose'),
    })
    return { code, type: plainText, body: text }
  }
  const check = checks.find((each) => each.name === name)
  if (!check) return notFound
  const { code, text } = checkReport(check.fault())
  return { code, type: plainText, body: text }
}

const notFound: Page = { code: 404, type: plainText, body: '404 page not found\n' }

function statusPage(code: number, reason: string, message: string): Page {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(code === 403 && { details: {} }),
    code,
  }
  return { code, type: 'application/json', body: JSON.stringify(status, undefined, 2) }
}

function send({ code, type, body }: Page, message: IncomingMessage, response: ServerResponse): void {
  response.writeHead(code, {
    'cache-control': 'no-cache, private',
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  })
  response.end(message.method === 'HEAD' ? undefined : body)
  // Nobody sends a body here; what comes of one is dropped, so that the connection can go on.
  message.resume()
}
