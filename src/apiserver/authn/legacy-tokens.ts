import { secrets, serviceAccounts } from '../../api/generated/resources.ts'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen, ObjectKey } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { Lookup } from '../registry/registry.ts'
import type { Finding, TokenAuthenticator } from './authenticator.ts'
import type { Claims, TokenKey } from './jwt.ts'
import { authenticatedGroup, serviceAccountGroups, serviceAccountName, type User } from './user.ts'
import { verifiedTokens } from './verified-tokens.ts'

/** Who issues tokens that lie in Secrets. */
const legacyIssuer = 'kubernetes/serviceaccount'
/** The day on which the token of a Secret was last used. */
export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'
const claim = 'kubernetes.io/serviceaccount'

/** What such tokens are checked against. */
export interface LegacyTokensOptions {
  readonly clock: Clock
  readonly lookup: Lookup
  /** The server's own: these tokens name none. */
  readonly audiences: readonly string[]
  readonly keys: readonly TokenKey[]
  /** Is told when a token is used on another day than its Secret says. */
  readonly used: (secret: ObjectKey, day: string) => void
}

/** What a token says: it never ends by itself. */
interface Content {
  readonly secret: ObjectKey
  readonly account: ObjectKey
  readonly accountUid: string
  readonly user: User
}

/** Tokens without an end, which lie in Secrets of the type kubernetes.io/service-account-token: good while Secret and account are there and the Secret holds this very token. */
export function legacyTokens({ clock, lookup, audiences, keys, used }: LegacyTokensOptions): TokenAuthenticator {
  const contentOf = verifiedTokens([legacyIssuer], keys, read)
  return {
    authenticateToken(token, wanted = audiences): Finding {
      const content = contentOf(token)
      if (!content || content === 'refused') return content
      const agreed = audiences.filter((audience) => wanted.includes(audience))
      if (agreed.length === 0) return undefined
      const secret = lookup.get(secrets, content.secret)
      const account = lookup.get(serviceAccounts, content.account)
      if (!secret || !account || !holds(secret, token)) return 'refused'
      const { uid, deletionTimestamp } = account.metadata
      if (deletionTimestamp || uid !== content.accountUid) return 'refused'
      noteUse(secret, content.secret)
      return secret.metadata.labels?.[invalidSinceLabel] ? 'refused' : { user: content.user, audiences: agreed }
    },
  }

  function noteUse({ metadata }: Frozen<Secret>, key: ObjectKey): void {
    const today = dayOf(clock.now())
    // Another server's clock may be ahead.
    const tomorrow = dayOf(clock.now() + 86_400_000)
    const lastUsed = metadata.labels?.[lastUsedLabel]
    if (lastUsed !== today && lastUsed !== tomorrow) used(key, today)
  }
}

/** The day of a time, in UTC: 2026-01-31. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const holds = ({ metadata, data }: Frozen<Secret>, token: string): boolean =>
  !metadata.deletionTimestamp && data?.['token'] === Buffer.from(token).toString('base64')

function read(claims: Claims): Content | undefined {
  const text = (name: string): string => {
    const value = claims[name]
    return typeof value === 'string' ? value : ''
  }
  const namespace = text(`${claim}/namespace`)
  const secret = text(`${claim}/secret.name`)
  const account = text(`${claim}/service-account.name`)
  const accountUid = text(`${claim}/service-account.uid`)
  if (!namespace || !secret || !account || !accountUid) return undefined
  const name = serviceAccountName(namespace, account)
  if (text('sub') !== name) return undefined
  return {
    secret: { namespace, name: secret },
    account: { namespace, name: account },
    accountUid,
    user: { name, uid: accountUid, groups: [...serviceAccountGroups(namespace), authenticatedGroup] },
  }
}
