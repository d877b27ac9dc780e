import { certificateSigningRequests } from '../../api/generated/resources.ts'
import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import { equal } from '../../api/validation/equal.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { refusal } from './forbidden.ts'
import { isResource } from './kinds.ts'

/** Whether a user may act as the signer: by its name, or by all of its domain. */
function maySign(authorizer: Authorizer, { user }: Attributes, verb: string, signer: string): boolean {
  const ask = (name: string) =>
    authorizer.authorize({
      user,
      verb,
      isResource: true,
      path: '',
      group: 'certificates.k8s.io',
      version: '*',
      namespace: '',
      resource: 'signers',
      subresource: '',
      name,
    }).verdict === 'allow'
  return ask(signer) || ask(`${signer.split('/')[0]}/*`)
}

/** Approving takes the right to approve for the signer. */
export const certificateApproval = (authorizer: Authorizer): AdmissionPlugin => ({
  name: 'CertificateApproval',
  handles: (operation, kind, subresource) =>
    operation === 'UPDATE' && isResource(kind, certificateSigningRequests) && subresource === 'approval',
  validate(attributes) {
    const signer = (attributes.old as Frozen<CertificateSigningRequest>).spec.signerName
    if (!maySign(authorizer, attributes, 'approve', signer))
      throw refusal(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`)
  },
})

/** Signing takes the right to sign for the signer. */
export const certificateSigning = (authorizer: Authorizer): AdmissionPlugin => ({
  name: 'CertificateSigning',
  handles: (operation, kind, subresource) =>
    operation === 'UPDATE' && isResource(kind, certificateSigningRequests) && subresource === 'status',
  validate(attributes) {
    const old = attributes.old as Frozen<CertificateSigningRequest>
    const now = attributes.object as CertificateSigningRequest
    // Only who writes the certificate, or that it failed, signs.
    if (
      (now.status?.certificate ?? '') === (old.status?.certificate ?? '') &&
      equal(now.status?.conditions, old.status?.conditions)
    )
      return
    const signer = old.spec.signerName
    if (!maySign(authorizer, attributes, 'sign', signer))
      throw refusal(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
  },
})

/** The signer of clients' certificates signs nobody into the group that may do everything. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (operation, kind, subresource) =>
    operation === 'CREATE' && isResource(kind, certificateSigningRequests) && subresource === '',
  validate(attributes) {
    const { spec } = attributes.object as CertificateSigningRequest
    if (spec.signerName !== 'kubernetes.io/kube-apiserver-client') return
    if (organizationsOf(spec.request).includes('system:masters')) {
      throw refusal(
        attributes,
        `use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed`,
      )
    }
  },
}

/** The organizations in a certificate request, found by their object identifier 2.5.4.10 in its DER form. */
function organizationsOf(request: string): string[] {
  const pem = Buffer.from(request, 'base64').toString('latin1')
  const body = /-----BEGIN CERTIFICATE REQUEST-----([^-]*)-----END/.exec(pem)?.[1]
  if (!body) return []
  const der = Buffer.from(body, 'base64')
  const organization = Buffer.from([0x06, 0x03, 0x55, 0x04, 0x0a])
  const found: string[] = []
  for (let at = der.indexOf(organization); at >= 0; at = der.indexOf(organization, at + 1)) {
    const length = der[at + 6]
    if (length !== undefined && length < 0x80) found.push(der.subarray(at + 7, at + 7 + length).toString())
  }
  return found
}
