import { createHash, createPrivateKey, createPublicKey, createSign, createVerify, type KeyObject } from 'node:crypto'

/** What a token says. */
export type Claims = Readonly<Record<string, unknown>>

/** A key that tokens are signed with or checked against. */
export interface TokenKey {
  readonly id: string
  readonly algorithm: 'RS256' | 'ES256' | 'ES384' | 'ES512'
  readonly publicKey: KeyObject
}

const curves: Readonly<Record<string, 'ES256' | 'ES384' | 'ES512'>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
const digests = { RS256: 'RSA-SHA256', ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' } as const

/** The public half of a PEM key, private or public, with the id that upstream gives it: the hash of its DER form. */
export function tokenKey(pem: string): TokenKey {
  const publicKey = createPublicKey(pem)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm =
    publicKey.asymmetricKeyType === 'rsa' ? 'RS256' : curves[publicKey.asymmetricKeyDetails?.namedCurve ?? '']
  if (!algorithm)
    throw new Error('a service account key must be an RSA key or an EC key of the curves P-256, P-384 or P-521')
  return { id: createHash('sha256').update(der).digest('base64url'), algorithm, publicKey }
}

/** Signs tokens with one private key. */
export function tokenSigner(pem: string): (claims: Claims) => string {
  const key = createPrivateKey(pem)
  const { id, algorithm } = tokenKey(pem)
  const header = encoded({ alg: algorithm, kid: id })
  return (claims) => {
    const signed = `${header}.${encoded(claims)}`
    const signature = createSign(digests[algorithm]).update(signed).sign({ key, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
}

/** The claims of a token that looks like one, unchecked; undefined otherwise. */
export function unverifiedClaims(token: string): Claims | undefined {
  const parts = token.split('.')
  return parts.length === 3 ? parsed(parts[1]!) : undefined
}

/** Whether one of the keys has signed the token. */
export function isSigned(token: string, keys: readonly TokenKey[]): boolean {
  const [head = '', body = '', signature = ''] = token.split('.')
  const header = parsed(head)
  if (!header) return false
  const candidates = keys.filter(
    ({ id, algorithm }) =>
      algorithm === header['alg'] && (header['kid'] === undefined || header['kid'] === '' || header['kid'] === id),
  )
  return candidates.some(({ algorithm, publicKey }) =>
    createVerify(digests[algorithm])
      .update(`${head}.${body}`)
      .verify({ key: publicKey, dsaEncoding: 'ieee-p1363' }, signature, 'base64url'),
  )
}

/** The keys as a JSON Web Key Set. */
export function keySet(keys: readonly TokenKey[]): object {
  return {
    keys: keys.map(({ id, algorithm, publicKey }) => ({
      use: 'sig',
      kty: publicKey.asymmetricKeyType === 'rsa' ? 'RSA' : 'EC',
      kid: id,
      alg: algorithm,
      ...publicKey.export({ format: 'jwk' }),
    })),
  }
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function parsed(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}
