import type { Clock } from '../../base/clock.ts'
import { nodes, pods, secrets, serviceAccounts } from '../../api/generated/resources.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import type { Lookup } from '../registry/registry.ts'
import type { Finding, TokenAuthenticator } from './authenticator.ts'
import type { Claims, TokenKey } from './jwt.ts'
import { authenticatedGroup, serviceAccountGroups, serviceAccountName, type User } from './user.ts'
import { verifiedTokens } from './verified-tokens.ts'

/** What tokens are checked against. */
export interface ServiceAccountTokensOptions {
  readonly clock: Clock
  readonly lookup: Lookup
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly keys: readonly TokenKey[]
}

interface Ref {
  readonly name: string
  readonly uid: string
}

/** What a token says. */
interface Content {
  readonly namespace: string
  readonly account: Ref
  readonly pod: Ref | undefined
  readonly node: Ref | undefined
  readonly secret: Ref | undefined
  readonly audiences: readonly string[]
  readonly notBeforeMs: number
  readonly expiryMs: number
  readonly user: User
}

/** What is deleted longer ago than this is gone for good, as far as tokens go. */
const leewayMs = 60_000

/** Tokens of service accounts. Signatures are checked once a token; that its account, pod, node or secret is still there, each time. */
export function serviceAccountTokens(options: ServiceAccountTokensOptions): TokenAuthenticator {
  const contentOf = verifiedTokens(options.issuers, options.keys, read)
  return {
    authenticateToken(token, audiences = options.audiences): Finding {
      const entry = contentOf(token)
      if (!entry || entry === 'refused') return entry
      const agreed = entry.audiences.filter((audience) => audiences.includes(audience))
      if (agreed.length === 0) return undefined
      const nowMs = options.clock.now()
      if (
        nowMs > entry.expiryMs + leewayMs ||
        nowMs + leewayMs < entry.notBeforeMs ||
        !isBound(entry, options.lookup, nowMs)
      )
        return 'refused'
      return { user: entry.user, audiences: agreed }
    },
  }
}

function read(claims: Claims): Content | undefined {
  const bound = claims['kubernetes.io']
  if (typeof bound !== 'object' || bound === null) return undefined
  const { namespace, serviceaccount, pod, node, secret } = bound as Record<string, unknown>
  const account = refOf(serviceaccount)
  const { sub, aud, nbf, exp, jti } = claims
  if (
    typeof namespace !== 'string' ||
    !account ||
    sub !== serviceAccountName(namespace, account.name) ||
    typeof exp !== 'number'
  )
    return undefined
  const refs = { pod: refOf(pod), node: refOf(node), secret: refOf(secret) }
  return {
    namespace,
    account,
    ...refs,
    audiences: (Array.isArray(aud) ? aud : [aud]).filter((each): each is string => typeof each === 'string'),
    notBeforeMs: typeof nbf === 'number' ? nbf * 1000 : 0,
    expiryMs: exp * 1000,
    user: userOf(namespace, account, refs, typeof jti === 'string' ? jti : undefined),
  }
}

function userOf(
  namespace: string,
  account: Ref,
  { pod, node }: { pod: Ref | undefined; node: Ref | undefined },
  jti: string | undefined,
): User {
  const extra: Record<string, string[]> = {}
  if (jti !== undefined) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${jti}`]
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name]
    if (node.uid) extra['authentication.kubernetes.io/node-uid'] = [node.uid]
  }
  if (pod) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  return {
    name: serviceAccountName(namespace, account.name),
    uid: account.uid,
    groups: [...serviceAccountGroups(namespace), authenticatedGroup],
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}

/** Whether everything that the token is bound to is still the same. */
function isBound({ namespace, account, pod, node, secret }: Content, lookup: Lookup, nowMs: number): boolean {
  const lives = (resource: Resource, space: string | undefined, ref: Ref) =>
    isAlive(lookup.get(resource, { namespace: space, name: ref.name }), ref, nowMs)
  if (!lives(serviceAccounts, namespace, account)) return false
  if (secret && !lives(secrets, namespace, secret)) return false
  if (pod) return lives(pods, namespace, pod)
  return !node || lives(nodes, undefined, node)
}

function isAlive(object: Frozen<KubernetesObject> | undefined, { uid }: Ref, nowMs: number): boolean {
  if (!object || object.metadata?.uid !== uid) return false
  const { deletionTimestamp } = object.metadata
  return !deletionTimestamp || Date.parse(deletionTimestamp) >= nowMs - leewayMs
}

function refOf(value: unknown): Ref | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, uid } = value as Record<string, unknown>
  return typeof name === 'string' ? { name, uid: typeof uid === 'string' ? uid : '' } : undefined
}
