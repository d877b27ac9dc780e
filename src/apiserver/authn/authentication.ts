import type { Exchange } from '../http/exchange.ts'
import type { RequestAuthenticator } from './authenticator.ts'
import { anonymous, type User } from './user.ts'

/** Finds out who makes a request: asks each authenticator in turn. Undefined: the credentials are wrong, or there are none and nobody may come without. */
export function authentication(
  authenticators: readonly RequestAuthenticator[],
  anonymousAllowed: boolean,
): (exchange: Exchange) => User | undefined {
  return (exchange) => {
    let refused = false
    for (const authenticator of authenticators) {
      const finding = authenticator.authenticate(exchange)
      if (finding === 'refused') refused = true
      else if (finding) return finding.user
    }
    return refused || !anonymousAllowed ? undefined : anonymous
  }
}
