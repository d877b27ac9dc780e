import { certificateSigningRequests, subjectAccessReviews } from '../../api/generated/resources.ts'
import type { SubjectAccessReview } from '../../api/generated/types/authorization-v1.ts'
import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { nameOf, timestamp } from '../../client/object.ts'
import { defineController, done, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { isApproved, isDenied, parseRequest, pemOf, signerRefusal, type ParsedRequest } from './certificate-request.ts'

type Csr = Frozen<CertificateSigningRequest>

const kubeletSigner = 'kubernetes.io/kube-apiserver-client-kubelet'

/** How often a request is looked at again that nobody may have yet. */
const againMs = 30_000

/** Approves kubelets' requests for client certificates, of those who may have them. */
export const csrApprovingController = defineController<CertificateSigningRequest>({
  name: 'certificatesigningrequest-approving-controller',
  reconciles: certificateSigningRequests,
  parallel: 1,
  reconcile,
})

async function reconcile(csr: Csr, c: Context<CertificateSigningRequest>): Promise<Outcome> {
  if (csr.status?.certificate || isApproved(csr) || isDenied(csr) || csr.spec.signerName !== kubeletSigner) return done
  const request = await parseRequest(pemOf(csr))
  if (signerRefusal(kubeletSigner, request, csr.spec.usages ?? []) !== undefined) return done
  for (const { subresource, message } of permissions(csr, request)) {
    if (!(await mayHave(csr, subresource, c))) continue
    const now = timestamp(c.clock.now())
    const condition = {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message,
      lastUpdateTime: now,
      lastTransitionTime: now,
    }
    c.wroteSelf(
      await c.client.updateSubresource<Csr>(certificateSigningRequests, { name: nameOf(csr) }, 'approval', {
        ...csr,
        status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] },
      }),
    )
    return done
  }
  // Rights are often given a little later than they are needed.
  return requeueAfter(againMs)
}

/** A node may renew its own; who makes nodes may have one for any. */
function permissions(csr: Csr, request: ParsedRequest): { subresource: string; message: string }[] {
  const own = {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  }
  const any = {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  }
  return csr.spec.username === request.commonName ? [own, any] : [any]
}

async function mayHave({ spec }: Csr, subresource: string, c: Context<CertificateSigningRequest>): Promise<boolean> {
  const review: Frozen<SubjectAccessReview> = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      ...(spec.username && { user: spec.username }),
      ...(spec.uid && { uid: spec.uid }),
      ...(spec.groups && { groups: spec.groups }),
      ...(spec.extra && { extra: spec.extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
        version: '*',
      },
    },
  }
  const { status } = await c.client.create(subjectAccessReviews, review)
  return status?.allowed ?? false
}
