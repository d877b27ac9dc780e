import { isSigned, unverifiedClaims, type Claims, type TokenKey } from './jwt.ts'

/** How many tokens are remembered. */
const knownMax = 10_000

/**
 * What signed tokens of some issuers say. The signature and form of a token are checked once, since neither changes. `read` gives undefined for claims that are not in order.
 * The answer is undefined for what is no token of these issuers.
 */
export function verifiedTokens<Content extends object>(
  issuers: readonly string[],
  keys: readonly TokenKey[],
  read: (claims: Claims) => Content | undefined,
): (token: string) => Content | 'refused' | undefined {
  const known = new Map<string, Content>()
  return (token) => {
    const entry = known.get(token)
    if (entry) return entry
    const claims = unverifiedClaims(token)
    // Tokens of other issuers are for other authenticators.
    if (!claims || typeof claims['iss'] !== 'string' || !issuers.includes(claims['iss'])) return undefined
    const content = isSigned(token, keys) ? read(claims) : undefined
    if (!content) return 'refused'
    if (known.size >= knownMax) known.clear()
    known.set(token, content)
    return content
  }
}
