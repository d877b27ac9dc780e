import { certificateSigningRequests } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { certificateSigningRequestRow } from './certificatesigningrequest-row.ts'

/** What a CertificateSigningRequest does. */
export const certificateSigningRequestDefinition = defineKind(certificateSigningRequests, {
  row: certificateSigningRequestRow,
  status: true,
  generation: false,
  fields: { 'spec.signerName': ({ spec }) => spec.signerName },
})
