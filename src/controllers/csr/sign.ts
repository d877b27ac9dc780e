import { createPrivateKey } from 'node:crypto'
import { x509 } from './certificate-request.ts'

/** What a certificate is to say besides what was asked for. */
export interface Signing {
  readonly caCert: string
  readonly caKey: string
  readonly request: string
  readonly usages: readonly string[]
  readonly nowMs: number
  readonly durationMs: number
  readonly serial: Buffer
}

/** Clocks of those who check may be a little behind. */
const backdateMs = 300_000

const extendedUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
}
const keyUsages: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
}

/** Signs a request with a CA; gives the certificate as PEM. */
export async function sign({ caCert, caKey, request, usages, nowMs, durationMs, serial }: Signing): Promise<string> {
  const library = await x509()
  const csr = new library.Pkcs10CertificateRequest(request)
  if (!(await csr.verify())) throw new Error('the signature of the certificate request is wrong')
  const ca = new library.X509Certificate(caCert)
  const wanted = csr.extensions.find((extension) => extension instanceof library.SubjectAlternativeNameExtension)
  const notAfter = new Date(Math.min(nowMs + durationMs - backdateMs, ca.notAfter.getTime()))
  const keyUsage = usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0)
  const extended = usages.flatMap((usage) => extendedUsages[usage] ?? [])
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: serial.toString('hex'),
    subject: csr.subjectName,
    issuer: ca.subjectName,
    notBefore: new Date(nowMs - backdateMs),
    notAfter,
    publicKey: csr.publicKey,
    signingKey: await signingKey(caKey),
    signingAlgorithm: signingAlgorithm(caKey),
    extensions: [
      ...(keyUsage ? [new library.KeyUsagesExtension(keyUsage, true)] : []),
      ...(extended.length > 0 ? [new library.ExtendedKeyUsageExtension(extended)] : []),
      new library.BasicConstraintsExtension(false, undefined, true),
      await library.AuthorityKeyIdentifierExtension.create(ca),
      ...(wanted ? [new library.SubjectAlternativeNameExtension(wanted.rawData)] : []),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function signingAlgorithm(pem: string) {
  const key = createPrivateKey(pem)
  return key.asymmetricKeyType === 'rsa'
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    : { name: 'ECDSA', hash: 'SHA-256', namedCurve: curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'P-256' }
}

async function signingKey(pem: string) {
  const { webcrypto } = await import('node:crypto')
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', der, signingAlgorithm(pem), false, ['sign'])
}
