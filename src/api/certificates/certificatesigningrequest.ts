import { certificateSigningRequests } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a CertificateSigningRequest does. */
export const certificateSigningRequestDefinition = defineKind(certificateSigningRequests, {
  status: true,
  generation: false,
  fields: { 'spec.signerName': ({ spec }) => spec.signerName },
})
