import type { Exchange } from '../http/exchange.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import { authentication } from './authentication.ts'
import type { RequestAuthenticator, TokenAuthenticator } from './authenticator.ts'
import { anyToken, bearer } from './bearer.ts'
import { clientCertificate } from './client-certificate.ts'
import { requestHeader } from './request-header.ts'
import { tokenFile } from './token-file.ts'
import type { User } from './user.ts'

/** All ways to say who one is that the options switch on, in upstream's order. */
export function newAuthentication(options: ApiServerOptions, _registry: Registry): (exchange: Exchange) => User | undefined {
  const authenticators: RequestAuthenticator[] = []
  if (options.requestHeader) authenticators.push(requestHeader(options.requestHeader))
  if (options.clientCa) authenticators.push(clientCertificate(options.clientCa, () => options.clock.now()))
  const tokens: TokenAuthenticator[] = []
  if (options.tokenAuthFile !== undefined) tokens.push(tokenFile(options.tokenAuthFile))
  if (tokens.length > 0) authenticators.push(bearer(tokens.length === 1 ? tokens[0]! : anyToken(tokens)))
  const everybody = options.authorizationModes?.includes('AlwaysAllow') === true
  return authentication(authenticators, !everybody && options.anonymousAuth !== false)
}
