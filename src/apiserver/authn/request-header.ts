import type { Finding, RequestAuthenticator } from './authenticator.ts'
import { certificatesOf, leadsTo, subjectOf } from './client-certificate.ts'
import { withAuthenticatedGroup } from './user.ts'

/** Which headers a front proxy names its user in, and how it proves that it is the proxy. */
export interface RequestHeaderOptions {
  readonly clientCa: string
  /** Common names that the proxy's certificate may have; empty: any. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

/** Users whom a front proxy has authenticated. Headers count only behind a certificate of the proxy's own CA. */
export function requestHeader(options: RequestHeaderOptions): RequestAuthenticator {
  const cas = certificatesOf(options.clientCa)
  return {
    authenticate(exchange): Finding {
      const name = first(options.usernameHeaders, (header) => exchange.header(header.toLowerCase()))
      if (!name) return undefined
      const { certificate, verified } = exchange.peer
      if (!certificate || !verified || !leadsTo(certificate, cas)) return undefined
      if (options.allowedNames.length > 0 && !options.allowedNames.includes(subjectOf(certificate).name))
        return 'refused'
      const uid = first(options.uidHeaders, (header) => exchange.header(header.toLowerCase()))
      const groups = options.groupHeaders.flatMap(
        (header) =>
          exchange
            .header(header.toLowerCase())
            ?.split(',')
            .map((each) => each.trim()) ?? [],
      )
      const extra = extraOf(exchange.headers(), options.extraHeaderPrefixes)
      return {
        user: withAuthenticatedGroup({
          name,
          ...(uid && { uid }),
          groups,
          ...(Object.keys(extra).length > 0 && { extra }),
        }),
      }
    },
  }
}

function first(names: readonly string[], read: (name: string) => string | undefined): string | undefined {
  for (const name of names) {
    const value = read(name)
    if (value) return value
  }
  return undefined
}

/** Headers that start with a prefix; what follows it, percent-decoded, is the key. */
export function extraOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  prefixes: readonly string[],
): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  for (const name in headers) {
    for (const prefix of prefixes) {
      if (!name.startsWith(prefix.toLowerCase())) continue
      const value = headers[name]
      let key = name.slice(prefix.length)
      try {
        key = decodeURIComponent(key)
      } catch {
        // A key that is not encoded properly is taken as it is.
      }
      ;(extra[key] ??= []).push(...(typeof value === 'string' ? [value] : (value ?? [])))
    }
  }
  return extra
}
