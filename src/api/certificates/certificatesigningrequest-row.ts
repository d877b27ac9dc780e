import type { CertificateSigningRequest } from '../generated/types/certificates-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'
import { humanDuration } from '../table-format/duration.ts'

/** What `kubectl get certificatesigningrequests` shows. */
export function certificateSigningRequestRow(request: Frozen<CertificateSigningRequest>, nowMs: number): Cell[] {
  const { spec } = request
  const duration = spec.expirationSeconds ? humanDuration(spec.expirationSeconds * 1000) : '<none>'
  return [
    name(request),
    age(request, nowMs),
    spec.signerName || '<none>',
    spec.username ?? '',
    duration,
    conditionCell(request),
  ]
}

function conditionCell({ status }: Frozen<CertificateSigningRequest>): string {
  const has = (wanted: string) => status?.conditions?.some(({ type }) => type === wanted)
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return `${verdict}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`
}
