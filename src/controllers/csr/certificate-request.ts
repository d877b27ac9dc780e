import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isTrue } from '../framework/conditions.ts'

/** What a PKCS#10 request asks for, as far as signers look at it. */
export interface ParsedRequest {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
  readonly uris: readonly string[]
}

/** The PEM of an object's request; the API keeps it in base64. */
export const pemOf = (csr: Frozen<CertificateSigningRequest>): string =>
  Buffer.from(String(csr.spec.request), 'base64').toString()

/** Loads the library when a request is there to be read: it is large. */
export async function x509() {
  await import('reflect-metadata')
  const library = await import('@peculiar/x509')
  const { webcrypto } = await import('node:crypto')
  library.cryptoProvider.set(webcrypto as never)
  return library
}

/** Reads a request; throws when it is none. */
export async function parseRequest(pem: string): Promise<ParsedRequest> {
  const { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } = await x509()
  const request = new Pkcs10CertificateRequest(pem)
  const names =
    request.extensions.find((extension) => extension instanceof SubjectAlternativeNameExtension)?.names.toJSON() ?? []
  const of = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value)
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    emails: of('email'),
    uris: of('url'),
  }
}

/** Whether a request carries a condition. */
export const isApproved = ({ status }: Frozen<CertificateSigningRequest>): boolean =>
  isTrue(status?.conditions, 'Approved')
/** Whether the request was denied. */
export const isDenied = ({ status }: Frozen<CertificateSigningRequest>): boolean => isTrue(status?.conditions, 'Denied')
export const isFailed = ({ status }: Frozen<CertificateSigningRequest>): boolean => isTrue(status?.conditions, 'Failed')

const kubeletClientUsages = [
  ['digital signature', 'client auth'],
  ['digital signature', 'key encipherment', 'client auth'],
]
const kubeletServingUsages = [
  ['digital signature', 'server auth'],
  ['digital signature', 'key encipherment', 'server auth'],
]

const isOneOf = (usages: readonly string[], allowed: readonly (readonly string[])[]): boolean =>
  allowed.some((set) => set.length === new Set(usages).size && set.every((usage) => usages.includes(usage)))

/** Why the request is not one that this signer signs; undefined when it is. */
export function signerRefusal(
  signerName: string,
  request: ParsedRequest,
  usages: readonly string[],
): string | undefined {
  switch (signerName) {
    case 'kubernetes.io/kube-apiserver-client-kubelet':
      return (
        nodeRefusal(request) ??
        (isOneOf(usages, kubeletClientUsages)
          ? undefined
          : 'usages did not match [digital signature client auth key encipherment]') ??
        (hasNames(request) ? 'subjectAltNames are not allowed' : undefined)
      )
    case 'kubernetes.io/kubelet-serving':
      if (request.dnsNames.length + request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
      if (request.emails.length > 0) return 'Email subjectAltNames are not allowed'
      if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
      return (
        nodeRefusal(request) ??
        (isOneOf(usages, kubeletServingUsages)
          ? undefined
          : 'usages did not match [digital signature key encipherment server auth]')
      )
    case 'kubernetes.io/kube-apiserver-client': {
      const allowed = ['client auth', 'digital signature', 'key encipherment']
      return usages.includes('client auth') && usages.every((usage) => allowed.includes(usage))
        ? undefined
        : `usages did not match ${allowed.join(', ')}`
    }
    default:
      return undefined
  }
}

const hasNames = ({ dnsNames, ipAddresses, emails, uris }: ParsedRequest): boolean =>
  dnsNames.length + ipAddresses.length + emails.length + uris.length > 0

function nodeRefusal({ organizations, commonName }: ParsedRequest): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes'
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'
}
