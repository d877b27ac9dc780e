import { X509Certificate } from 'node:crypto'
import { isNotFound } from '../../api/errors/api-error.ts'
import { certificateSigningRequests } from '../../api/generated/resources.ts'
import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, msOf, nameOf } from '../../client/object.ts'
import { conditionOf } from '../framework/conditions.ts'
import { defineController, done, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'

type Csr = Frozen<CertificateSigningRequest>

const hourMs = 3_600_000
/** How long requests are kept. */
const keptMs = { Approved: hourMs, Denied: hourMs, Failed: hourMs, pending: 24 * hourMs }

/** Deletes old certificate requests. */
export const csrCleanerController = defineController<CertificateSigningRequest>({
  name: 'certificatesigningrequest-cleaner-controller',
  reconciles: certificateSigningRequests,
  parallel: 1,
  reconcile,
})

async function reconcile(csr: Csr, c: Context<CertificateSigningRequest>): Promise<Outcome> {
  if (isBeingDeleted(csr)) return done
  const leftMs = removalMs(csr) - c.clock.now()
  if (leftMs > 0) return requeueAfter(leftMs)
  try {
    await c.client.delete(certificateSigningRequests, { name: nameOf(csr) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return done
}

/** When the request is to go. */
export function removalMs(csr: Csr): number {
  const createdMs = msOf(csr.metadata.creationTimestamp ?? '')
  const times: number[] = []
  for (const type of ['Approved', 'Denied', 'Failed'] as const) {
    const condition = conditionOf(csr.status?.conditions, type)
    if (condition) times.push((condition.lastUpdateTime ? msOf(condition.lastUpdateTime) : createdMs) + keptMs[type])
  }
  if (times.length === 0) times.push(createdMs + keptMs.pending)
  const expiry = csr.status?.certificate ? expiryMs(String(csr.status.certificate)) : undefined
  if (expiry !== undefined) times.push(expiry)
  return Math.min(...times)
}

function expiryMs(base64: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(Buffer.from(base64, 'base64')).validTo)
  } catch {
    return undefined // somebody's own idea of a certificate
  }
}
