import { ensure, thaw, type Thawed } from '../draft.ts'
import { certificateSigningRequests } from '../generated/resources.ts'
import type { CertificateSigningRequest } from '../generated/types/certificates-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { certificateSigningRequestRow } from './certificatesigningrequest-row.ts'
import { checkRequest, checkRequestUpdate } from './csr-rules.ts'
import { timeText } from '../schema/times.ts'

/** What a CertificateSigningRequest does. */
export const certificateSigningRequestDefinition = defineKind(certificateSigningRequests, {
  row: certificateSigningRequestRow,
  status: true,
  generation: false,
  nameErrors: () => [],
  fields: { 'spec.signerName': ({ spec }) => spec.signerName },
  prepareCreate(request, { user }) {
    const spec = ensure(request, 'spec')
    for (const name of ['username', 'uid', 'groups', 'extra'] as const) delete spec[name]
    spec.username = user.name
    if (user.uid) spec.uid = user.uid
    if (user.groups.length) spec.groups = [...user.groups]
    if (user.extra && Object.keys(user.extra).length)
      spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]))
  },
  prepareUpdate(request, old, { subresource, nowMs }) {
    request.spec = thaw(old.spec)
    if (subresource === 'status') {
      keepDecisions(request, old)
      fillTimes(request, old, nowMs)
    } else if (subresource === 'approval') {
      fillTimes(request, old, nowMs)
      request.status = {
        ...thaw(old.status),
        ...(request.status?.conditions && { conditions: request.status.conditions }),
      }
    }
  },
  validate: (request, errors) => checkRequest(request, undefined, errors),
  validateUpdate: (request, old, errors, { subresource }) => checkRequestUpdate(request, old, subresource, errors),
})

/** The signer leaves the approver's conditions as they are. */
function keepDecisions({ status }: Thawed<CertificateSigningRequest>, old: Frozen<CertificateSigningRequest>): void {
  const conditions = status?.conditions
  for (const type of ['Approved', 'Denied']) {
    const before = (old.status?.conditions ?? []).filter((condition) => condition.type === type)
    const places = [...(conditions ?? []).keys()].filter((i) => conditions?.[i]?.type === type)
    if (!conditions || places.length !== before.length) continue
    before.forEach((condition, i) => conditions.splice(places[i] ?? 0, 1, thaw(condition)))
  }
}

/** Conditions tell when they were set. */
function fillTimes(
  { status }: Thawed<CertificateSigningRequest>,
  old: Frozen<CertificateSigningRequest>,
  nowMs: number,
): void {
  const now = timeText(nowMs)
  for (const condition of status?.conditions ?? []) {
    condition.lastUpdateTime ||= now
    const same = old.status?.conditions?.find(
      ({ type, status: value, lastTransitionTime }) =>
        type === condition.type && value === condition.status && lastTransitionTime,
    )
    condition.lastTransitionTime ||= same?.lastTransitionTime ?? now
  }
}
