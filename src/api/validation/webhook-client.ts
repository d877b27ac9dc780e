import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from './field.ts'
import { isPortNumber, isSubdomain } from './names.ts'

/** Where a webhook is. */
interface WebhookClient {
  readonly url?: string
  readonly service?: {
    readonly name: string
    readonly namespace: string
    readonly path?: string
    readonly port?: number
  }
}

const form = '; desired format: https://host[/path]'

/** The rules of where a webhook is reached. */
export function checkWebhookClient({ url, service }: Frozen<WebhookClient>, at: FieldPath, errors: FieldErrors): void {
  if ((url === undefined) === !service) errors.required(at, 'exactly one of url or service is required')
  else if (url !== undefined) checkWebhookUrl(url, at.child('url'), errors)
  else if (service) checkWebhookService(service, at.child('service'), errors)
}

/** The parts of a URL as Go's parser finds them. */
const urlParts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

function checkWebhookUrl(url: string, at: FieldPath, errors: FieldErrors): void {
  const problem = urlProblem(url)
  if (problem) return errors.required(at, `url must be a valid URL: parse ${JSON.stringify(url)}: ${problem}${form}`)
  const [, scheme = '', authority = '', , query = '', fragment = ''] = urlParts.exec(url) ?? []
  const split = authority.lastIndexOf('@')
  const host = authority.slice(split + 1)
  if (scheme.toLowerCase() !== 'https')
    errors.invalid(at, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`)
  if (!host) errors.invalid(at, host, `host must be specified${form}`)
  if (split >= 0) errors.invalid(at, authority.slice(0, split), 'user information is not permitted in the URL')
  if (fragment) errors.invalid(at, fragment, 'fragments are not permitted in the URL')
  if (query) errors.invalid(at, query, 'query parameters are not permitted in the URL')
}

/** What Go's parser refuses. */
function urlProblem(url: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(url)) return 'net/url: invalid control character in URL'
  if (url.startsWith(':')) return 'missing protocol scheme'
  const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(url)
  if (escape) return `invalid URL escape ${JSON.stringify(escape[0])}`
  const [, scheme, authority] = urlParts.exec(url) ?? []
  if (scheme === undefined && authority === undefined && /^[^/?#]*:/.test(url))
    return 'first path segment in URL cannot contain colon'
  const host = authority?.slice(authority.lastIndexOf('@') + 1) ?? ''
  if (/[\s"<>\\^`{|}]/.test(host))
    return `invalid character ${JSON.stringify(/[\s"<>\\^`{|}]/.exec(host)?.[0])} in host name`
  const port = /:([^\]:]*)$/.exec(host)?.[1]
  return port && !/^[0-9]*$/.test(port) ? `invalid port ":${port}" after host` : undefined
}

/** Upstream passes name and namespace in the wrong order, so that what is missing is told of the other. */
function checkWebhookService(
  { name, namespace, path, port }: NonNullable<WebhookClient['service']>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!namespace) errors.required(at.child('name'))
  if (!name) errors.required(at.child('namespace'))
  checkServicePort(port, at, errors)
  if (path !== undefined) checkServicePath(path, at.child('path'), errors)
}

/** The port of a Service that a webhook is behind. */
export function checkServicePort(port: number | undefined, at: FieldPath, errors: FieldErrors): void {
  const problems = isPortNumber(port ?? 0)
  if (problems.length) errors.invalid(at.child('port'), port ?? 0, `port is not valid: ${problems.join(', ')}`)
}

/** A path on a service: segments that are names. */
export function checkServicePath(path: string, at: FieldPath, errors: FieldErrors): void {
  if (path === '' || path === '/') return
  if (path === '//') return errors.invalid(at, path, 'segment[0] may not be empty')
  if (!path.startsWith('/')) errors.invalid(at, path, "must start with a '/'")
  const steps = path.slice(1).replace(/\/$/, '').split('/')
  steps.forEach((step, i) => {
    if (!step) return errors.invalid(at, path, `segment[${i}] may not be empty`)
    for (const problem of isSubdomain(step)) errors.invalid(at, path, `segment[${i}]: ${problem}`)
  })
}
