import { X509Certificate } from 'node:crypto'
import type { Peer } from '../http/peer.ts'
import type { Finding, RequestAuthenticator } from './authenticator.ts'
import { withAuthenticatedGroup } from './user.ts'

/** What is remembered of a connection's certificate. */
interface Memo {
  readonly finding: Finding
  readonly validToMs: number
}

/** Client certificates: the common name is the user, each organization a group. */
export function clientCertificate(caPem: string, nowMs: () => number): RequestAuthenticator {
  const cas = certificatesOf(caPem)
  return {
    authenticate({ peer }): Finding {
      const memo = (peer.memo ??= read(peer, cas)) as Memo
      return memo.validToMs < nowMs() ? 'refused' : memo.finding
    },
  }
}

function read(peer: Peer, cas: readonly X509Certificate[]): Memo {
  const certificate = peer.certificate
  if (!certificate) return { finding: undefined, validToMs: Infinity }
  const validToMs = certificate.validToDate.getTime()
  // A certificate of another CA that the listener knows (the front proxy's) is not ours to judge.
  if (peer.verified && !leadsTo(certificate, cas)) return { finding: undefined, validToMs }
  if (!peer.verified) return { finding: 'refused', validToMs }
  const { name, groups } = subjectOf(certificate)
  return { finding: name ? { user: withAuthenticatedGroup({ name, groups }) } : 'refused', validToMs }
}

/** Whether the certificate, or the issuers that came with it, are signed by one of `cas`. Its validity was checked by the TLS layer. */
export function leadsTo(certificate: X509Certificate, cas: readonly X509Certificate[]): boolean {
  let at: X509Certificate | undefined = certificate
  for (let depth = 0; at && depth < 8; depth++) {
    const issued = at
    if (
      cas.some(
        (ca) => ca.fingerprint256 === issued.fingerprint256 || (issued.checkIssued(ca) && issued.verify(ca.publicKey)),
      )
    )
      return true
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate
  }
  return false
}

/** The certificates of a PEM file. */
export function certificatesOf(pem: string): X509Certificate[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)].map(
    ([text]) => new X509Certificate(text),
  )
}

/** Common name and organizations. Node writes a subject as lines of `KEY=value`. */
export function subjectOf(certificate: X509Certificate): { name: string; groups: string[] } {
  let name = ''
  const groups: string[] = []
  for (const line of certificate.subject.split('\n')) {
    // A relative name of several parts is on one line, joined by '+'.
    for (const part of line.split(/(?<!\\)\+(?=[A-Z]+=)/)) {
      if (part.startsWith('CN=')) name = unescaped(part.slice(3))
      else if (part.startsWith('O=')) groups.push(unescaped(part.slice(2)))
    }
  }
  return { name, groups }
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1')
