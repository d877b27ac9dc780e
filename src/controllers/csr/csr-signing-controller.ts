import { certificateSigningRequests } from '../../api/generated/resources.ts'
import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import { messageOf } from '../framework/context.ts'
import { defineController, done, type Context, type Outcome } from '../framework/controller.ts'
import { isApproved, isFailed, parseRequest, pemOf, signerRefusal } from './certificate-request.ts'
import { sign } from './sign.ts'

type Csr = Frozen<CertificateSigningRequest>

const signers = new Set([
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/legacy-unknown',
])
/** Shorter ones are made this long: the certificate begins five minutes ago. */
const durationMinMs = 600_000

/** Signs approved requests for the signers of the cluster itself. */
export const csrSigningController = defineController<CertificateSigningRequest>({
  name: 'certificatesigningrequest-signing-controller',
  reconciles: certificateSigningRequests,
  parallel: 5,
  reconcile,
})

async function reconcile(csr: Csr, c: Context<CertificateSigningRequest>): Promise<Outcome> {
  const { clusterSigningCert: caCert, clusterSigningKey: caKey, clusterSigningDurationMs } = c.options
  if (
    !caCert ||
    !caKey ||
    csr.status?.certificate ||
    !isApproved(csr) ||
    isFailed(csr) ||
    !signers.has(csr.spec.signerName)
  )
    return done
  const request = pemOf(csr)
  const usages = csr.spec.usages ?? []
  const refusal = await refusalOf(csr, request, usages)
  if (refusal !== undefined) return fail(csr, refusal, c)
  const asked = csr.spec.expirationSeconds
  const durationMs =
    asked === undefined
      ? clusterSigningDurationMs
      : Math.max(durationMinMs, Math.min(asked * 1000, clusterSigningDurationMs))
  // The highest bit stays clear: serial numbers are positive.
  const serial = c.random.bytes(16)
  serial[0] = (serial[0] ?? 0) & 0x7f
  const certificate = await sign({ caCert, caKey, request, usages, nowMs: c.clock.now(), durationMs, serial })
  await c.writeStatus(csr, { ...csr.status, certificate: Buffer.from(certificate).toString('base64') })
  return done
}

async function refusalOf({ spec }: Csr, request: string, usages: readonly string[]): Promise<string | undefined> {
  try {
    return signerRefusal(spec.signerName, await parseRequest(request), usages)
  } catch (error) {
    return `unable to parse csr: ${messageOf(error)}`
  }
}

async function fail(csr: Csr, message: string, c: Context<CertificateSigningRequest>): Promise<Outcome> {
  const now = timestamp(c.clock.now())
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  await c.writeStatus(csr, { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] })
  return done
}
