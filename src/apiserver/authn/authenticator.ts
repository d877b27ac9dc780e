import type { Exchange } from '../http/exchange.ts'
import type { User } from './user.ts'

/** What an authenticator found: a user, credentials that are wrong, or nothing that concerns it. */
export type Finding = { readonly user: User; readonly audiences?: readonly string[] } | 'refused' | undefined

/** Looks for one sort of credentials in a request. */
export interface RequestAuthenticator {
  authenticate(exchange: Exchange): Finding
}

/** Knows one sort of bearer tokens. `audiences` are those the asker wants; absent: the server's own. */
export interface TokenAuthenticator {
  authenticateToken(token: string, audiences?: readonly string[]): Finding
}
