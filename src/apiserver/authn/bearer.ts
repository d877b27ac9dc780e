import { tokenProtocol } from '../../streaming/upgrade/upgrade.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Finding, RequestAuthenticator, TokenAuthenticator } from './authenticator.ts'

/** Bearer tokens, from the Authorization header or, for browsers' WebSockets, from a sub-protocol. */
export function bearer(tokens: TokenAuthenticator): RequestAuthenticator {
  return {
    authenticate(exchange): Finding {
      const token = bearerToken(exchange) ?? webSocketToken(exchange)
      if (token === undefined) return undefined
      return tokens.authenticateToken(token) ?? 'refused'
    },
  }
}

function bearerToken(exchange: Exchange): string | undefined {
  const header = exchange.header('authorization')
  if (header === undefined || header.length < 8 || header.charCodeAt(6) !== 0x20) return undefined
  if (header.slice(0, 6).toLowerCase() !== 'bearer') return undefined
  const rest = header.slice(7)
  const space = rest.indexOf(' ')
  const token = space < 0 ? rest : rest.slice(0, space)
  return token === '' ? undefined : token
}

function webSocketToken(exchange: Exchange): string | undefined {
  if (exchange.header('upgrade')?.toLowerCase() !== 'websocket') return undefined
  const protocol = exchange
    .header('sec-websocket-protocol')
    ?.split(',')
    .find((each) => each.trim().startsWith(tokenProtocol))
  return protocol && Buffer.from(protocol.trim().slice(tokenProtocol.length), 'base64url').toString()
}

/** The first of several that knows the token; one that refuses it does not keep others from knowing it. */
export function anyToken(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    authenticateToken(token, audiences): Finding {
      let refused = false
      for (const authenticator of authenticators) {
        const finding = authenticator.authenticateToken(token, audiences)
        if (finding === 'refused') refused = true
        else if (finding) return finding
      }
      return refused ? 'refused' : undefined
    },
  }
}
