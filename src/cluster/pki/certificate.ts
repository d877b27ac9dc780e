import type { Deps } from '../../base/deps.ts'
import { createPrivateKey, createSign, generateKeyPairSync, webcrypto } from 'node:crypto'

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** What a certificate says. */
export interface CertificateRequest {
  readonly commonName: string
  readonly organizations?: readonly string[]
  /** Addresses and host names it serves. */
  readonly hosts?: readonly string[]
  readonly usage: 'server' | 'client' | 'both'
  readonly validDays: number
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000
/** Clocks of other machines may lag behind. */
const backdateMs = 3_600_000

/** The X.509 library, loaded only where a certificate is made: it costs 20 MB and 90 ms. */
async function x509() {
  await import('reflect-metadata')
  const library = await import('@peculiar/x509')
  library.cryptoProvider.set(webcrypto as never)
  return library
}

/** A new certificate authority. */
export async function newAuthority(
  commonName: string,
  validDays: number,
  { clock, random }: Pick<Deps, 'clock' | 'random'>,
): Promise<KeyPair> {
  const library = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await library.X509CertificateGenerator.createSelfSigned({
    serialNumber: random.bytes(16).toString('hex'),
    name: [{ CN: [commonName] }],
    notBefore: new Date(clock.now() - backdateMs),
    notAfter: new Date(clock.now() + validDays * dayMs),
    signingAlgorithm: algorithm,
    keys: keys as webcrypto.CryptoKeyPair,
    extensions: [
      new library.BasicConstraintsExtension(true, undefined, true),
      new library.KeyUsagesExtension(
        library.KeyUsageFlags.digitalSignature |
          library.KeyUsageFlags.keyEncipherment |
          library.KeyUsageFlags.keyCertSign,
        true,
      ),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey as webcrypto.CryptoKey),
    ],
  })
  return { cert: `${cert.toString('pem')}\n`, key: await privatePem(keys.privateKey) }
}

/** A certificate signed by `authority`, with a new key. */
export async function issue(
  authority: KeyPair,
  request: CertificateRequest,
  { clock, random }: Pick<Deps, 'clock' | 'random'>,
): Promise<KeyPair> {
  const library = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const issuer = new library.X509Certificate(authority.cert)
  const usages = [
    ...(request.usage === 'client' ? [] : ['1.3.6.1.5.5.7.3.1']),
    ...(request.usage === 'server' ? [] : ['1.3.6.1.5.5.7.3.2']),
  ]
  const names = (request.hosts ?? []).map((host) => ({
    type: isAddress(host) ? ('ip' as const) : ('dns' as const),
    value: host,
  }))
  const cert = await library.X509CertificateGenerator.create({
    serialNumber: random.bytes(16).toString('hex'),
    subject: [...(request.organizations ?? []).map((o) => ({ O: [o] })), { CN: [request.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(clock.now() - backdateMs),
    notAfter: new Date(clock.now() + request.validDays * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey as webcrypto.CryptoKey,
    signingKey: await signingKey(authority.key),
    extensions: [
      new library.KeyUsagesExtension(
        library.KeyUsageFlags.digitalSignature | library.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new library.ExtendedKeyUsageExtension(usages),
      new library.BasicConstraintsExtension(false, undefined, true),
      await library.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length ? [new library.SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { cert: `${cert.toString('pem')}\n`, key: await privatePem(keys.privateKey) }
}

/** The key pair that signs service account tokens, as upstream's `sa.key` and `sa.pub`. */
export function newSigningKeys(): { key: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** Whether the key of `pair` can sign (a truncated file cannot). */
export function isUsableKey(key: string): boolean {
  try {
    createSign('sha256').update('').sign(createPrivateKey(key))
    return true
  } catch {
    // Any failure means that the key cannot be used; the caller says which file it is.
    return false
  }
}

const isAddress = (host: string) => /^[\d.]+$/.test(host) || host.includes(':')

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)!.join('\n')}\n-----END PRIVATE KEY-----\n`
}

async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return (await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])) as webcrypto.CryptoKey
}
