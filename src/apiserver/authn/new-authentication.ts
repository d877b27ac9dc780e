import { secrets } from '../../api/generated/resources.ts'
import type { ObjectKey } from '../../api/resource.ts'
import type { Exchange } from '../http/exchange.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { TokenIssuer } from '../subresources/token.ts'
import { authentication } from './authentication.ts'
import type { RequestAuthenticator, TokenAuthenticator } from './authenticator.ts'
import { anyToken, bearer } from './bearer.ts'
import { clientCertificate } from './client-certificate.ts'
import { tokenKey, tokenSigner, type TokenKey } from './jwt.ts'
import { lastUsedLabel, legacyTokens } from './legacy-tokens.ts'
import { requestHeader } from './request-header.ts'
import { serviceAccountTokens } from './service-account-tokens.ts'
import { tokenFile } from './token-file.ts'
import type { User } from './user.ts'

/** All that has to do with who somebody is. */
export interface Authentication {
  readonly authenticate: (exchange: Exchange) => User | undefined
  /** All bearer tokens: what token reviews ask. */
  readonly tokens: TokenAuthenticator
  /** Absent: no tokens of service accounts are made. */
  readonly issuer: TokenIssuer | undefined
  readonly audiences: readonly string[]
  readonly keys: readonly TokenKey[]
}

/** All ways to say who one is that the options switch on, in upstream's order. */
export function newAuthentication(options: ApiServerOptions, registry: Registry): Authentication {
  const { clock, serviceAccounts } = options
  const authenticators: RequestAuthenticator[] = []
  if (options.requestHeader) authenticators.push(requestHeader(options.requestHeader))
  if (options.clientCa) authenticators.push(clientCertificate(options.clientCa, () => clock.now()))
  const known: TokenAuthenticator[] = []
  if (options.tokenAuthFile !== undefined) known.push(tokenFile(options.tokenAuthFile))
  const audiences = serviceAccounts?.audiences ?? serviceAccounts?.issuers ?? []
  const pems = serviceAccounts?.keys.length
    ? serviceAccounts.keys
    : serviceAccounts?.signingKey
      ? [serviceAccounts.signingKey]
      : []
  // A public key and the one that signs with it are the same key.
  const keys = [...new Map(pems.map(tokenKey).map((key) => [key.id, key])).values()]
  if (serviceAccounts) {
    const used = (secret: ObjectKey, day: string) =>
      void noteUse(registry, secret, day).catch((error: unknown) =>
        options.log.warn(
          { err: error, secret },
          'the last use of a token could not be noted; the next use tries again',
        ),
      )
    known.push(
      legacyTokens({ clock, lookup: registry, audiences, keys, used }),
      serviceAccountTokens({ clock, lookup: registry, issuers: serviceAccounts.issuers, audiences, keys }),
    )
  }
  const tokens = anyToken(known)
  if (known.length > 0) authenticators.push(bearer(tokens))
  const everybody = options.authorizationModes?.includes('AlwaysAllow') === true
  return {
    authenticate: authentication(authenticators, !everybody && options.anonymousAuth !== false),
    tokens,
    issuer:
      serviceAccounts?.signingKey === undefined
        ? undefined
        : { sign: tokenSigner(serviceAccounts.signingKey), audiences, options: serviceAccounts },
    audiences,
    keys,
  }
}

/** Writes on a Secret on which day its token was used. */
async function noteUse(registry: Registry, { namespace = '', name }: ObjectKey, day: string): Promise<void> {
  const storage = registry.storageOfResource(secrets)!
  await storage.change(storage.keyOf(namespace, name), (current) => {
    if (!current || current.object.metadata?.labels?.[lastUsedLabel] === day) return { action: 'keep' }
    const { metadata } = current.object
    const labels = { ...metadata?.labels, [lastUsedLabel]: day }
    return { action: 'write', draft: { ...current.object, metadata: { ...metadata, labels } } as Draft }
  })
}
