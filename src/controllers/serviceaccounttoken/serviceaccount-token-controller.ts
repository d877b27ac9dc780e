import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { isNotFound } from '../../api/errors/api-error.ts'
import { secrets, serviceAccounts } from '../../api/generated/resources.ts'
import type { Secret, ServiceAccount } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'

type C = Context<Secret>

const tokenType = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'
const accountIndex = 'serviceaccount'

/** Puts a token into Secrets that ask for one of a service account, and removes them with the account. */
export const serviceAccountTokenController = defineController<Secret>({
  name: 'serviceaccount-token-controller',
  reconciles: secrets,
  watches: [
    watch(serviceAccounts, (account, { informers }) =>
      informers
        .of(secrets)
        .by(accountIndex, `${namespaceOf(account)}/${nameOf(account)}`)
        .map((secret) => `${namespaceOf(secret)}/${nameOf(secret)}`),
    ),
  ],
  parallel: 5,
  setup: (c) =>
    c
      .of(secrets)
      .index(accountIndex, (secret) =>
        secret.type === tokenType ? [`${namespaceOf(secret)}/${annotationsOf(secret)[nameAnnotation] ?? ''}`] : [],
      ),
  reconcile,
})

async function reconcile(secret: Frozen<Secret>, c: C): Promise<Outcome> {
  if (secret.type !== tokenType || isBeingDeleted(secret) || !c.options.serviceAccountPrivateKey) return done
  const name = annotationsOf(secret)[nameAnnotation]
  if (!name) return done
  const account = await accountOf(namespaceOf(secret), name, c)
  const uid = annotationsOf(secret)[uidAnnotation]
  if (!account || (uid && uid !== uidOf(account))) {
    await remove(secret, c)
    return done
  }
  const next = filled(secret, account, c)
  if (next) c.wroteSelf(await c.client.update(secrets, next))
  return done
}

/** The account; asked of the server itself before it counts as gone. */
async function accountOf(namespace: string, name: string, c: C): Promise<Frozen<ServiceAccount> | undefined> {
  const cached = c.of(serviceAccounts).get({ namespace, name })
  if (cached) return cached
  try {
    return await c.client.get(serviceAccounts, { namespace, name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function remove(secret: Frozen<Secret>, c: C): Promise<void> {
  try {
    await c.client.delete(secrets, keyOf(secret), { uid: uidOf(secret) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The Secret with all that is missing; undefined when nothing is. */
function filled(secret: Frozen<Secret>, account: Frozen<ServiceAccount>, c: C): Frozen<Secret> | undefined {
  const { rootCa, serviceAccountPrivateKey, serviceAccountIssuer } = c.options
  const data: Record<string, string> = {}
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  if (rootCa && secret.data?.['ca.crt'] !== base64(rootCa)) data['ca.crt'] = base64(rootCa)
  if (!secret.data?.['namespace']) data['namespace'] = base64(namespaceOf(secret))
  if (!secret.data?.['token'])
    data['token'] = base64(legacyToken(secret, account, serviceAccountPrivateKey ?? '', serviceAccountIssuer))
  const annotated = annotationsOf(secret)[uidAnnotation] === uidOf(account)
  if (Object.keys(data).length === 0 && annotated) return undefined
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotationsOf(secret), [uidAnnotation]: uidOf(account) } },
    data: { ...secret.data, ...data },
  }
}

/** A token without an end, as the Secret itself has none. */
function legacyToken(
  secret: Frozen<Secret>,
  account: Frozen<ServiceAccount>,
  privateKey: string,
  issuer: string,
): string {
  const key = createPrivateKey(privateKey)
  const claims = {
    iss: issuer,
    'kubernetes.io/serviceaccount/namespace': namespaceOf(secret),
    'kubernetes.io/serviceaccount/secret.name': nameOf(secret),
    'kubernetes.io/serviceaccount/service-account.name': nameOf(account),
    'kubernetes.io/serviceaccount/service-account.uid': uidOf(account),
    sub: `system:serviceaccount:${namespaceOf(account)}:${nameOf(account)}`,
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const content = `${part({ alg: algorithmOf(key), kid: keyId(key) })}.${part(claims)}`
  const signature = sign(
    hashOf(key),
    Buffer.from(content),
    key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key,
  )
  return `${content}.${signature.toString('base64url')}`
}

const curveHashes: Readonly<Record<string, string>> = { prime256v1: '256', secp384r1: '384', secp521r1: '512' }
const bitsOf = (key: KeyObject): string =>
  key.asymmetricKeyType === 'ec' ? (curveHashes[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? '256') : '256'
const algorithmOf = (key: KeyObject): string => `${key.asymmetricKeyType === 'ec' ? 'ES' : 'RS'}${bitsOf(key)}`
const hashOf = (key: KeyObject): string => `sha${bitsOf(key)}`

/** Which key checks the token: the hash of the public key, as the API server names them. */
const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('base64url')
