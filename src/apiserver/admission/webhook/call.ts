import { ApiError, badRequest, internalError } from '../../../api/errors/api-error.ts'
import type { MutatingWebhook, ValidatingWebhook } from '../../../api/generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { postJson, type Outbound } from '../../outbound/post-json.ts'
import type { Attributes } from '../admission.ts'
import type { AdmissionRequest, AdmissionResponse } from './review.ts'

/** A webhook of either sort. */
export type Webhook = Frozen<MutatingWebhook> | Frozen<ValidatingWebhook>

/** The webhook could not be asked, or gave no answer that makes sense. */
export class WebhookFailure extends Error {
  override name = 'WebhookFailure'
}

const versions = ['v1', 'v1beta1']
const timeoutSeconds = 10

/** Asks a webhook. Throws an ApiError when it may not be asked, a WebhookFailure when it cannot be. */
export async function askWebhook(
  outbound: Outbound,
  webhook: Webhook,
  attributes: Attributes,
  request: AdmissionRequest,
): Promise<AdmissionResponse> {
  if (attributes.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  const version = webhook.admissionReviewVersions?.find((each) => versions.includes(each))
  if (!version)
    throw new WebhookFailure(
      'failed to call webhook: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    )
  const apiVersion = `admission.k8s.io/${version}`
  let answer: unknown
  try {
    answer = await postJson(outbound, {
      config: webhook.clientConfig,
      body: { kind: 'AdmissionReview', apiVersion, request },
      timeoutMs: (webhook.timeoutSeconds ?? timeoutSeconds) * 1000,
    })
  } catch (error) {
    throw new WebhookFailure(`failed to call webhook: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  return checkedResponse(answer, { apiVersion, uid: request.uid })
}

/** What is required of an answer. The first version was less strict. */
function checkedResponse(answer: unknown, { apiVersion, uid }: { apiVersion: string; uid: string }): AdmissionResponse {
  const review = (typeof answer === 'object' && answer !== null ? answer : {}) as {
    apiVersion?: string
    kind?: string
    response?: AdmissionResponse | null
  }
  const strict = apiVersion.endsWith('/v1')
  const invalid = (why: string) => new WebhookFailure(`received invalid webhook response: ${why}`)
  const { response } = review
  if (!response) throw invalid('webhook response was absent')
  if (strict && (review.apiVersion !== apiVersion || review.kind !== 'AdmissionReview')) {
    throw invalid(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${review.apiVersion ?? '/'}, Kind=${review.kind ?? ''}`,
    )
  }
  if (strict && response.uid !== uid)
    throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (strict && response.patch && !response.patchType)
    throw invalid('webhook returned response.patch but not response.patchType')
  if (strict && response.patchType && response.patchType !== 'JSONPatch')
    throw invalid(`webhook returned invalid response.patchType of ${JSON.stringify(response.patchType)}`)
  return response
}

/** The refusal of a webhook as an error of the API. */
export function denial(name: string, { status }: AdmissionResponse): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const message = status?.message
    ? `${denied}: ${status.message}`
    : status?.reason
      ? `${denied}: ${status.reason}`
      : `${denied} without explanation`
  const code = status?.code !== undefined && status.code >= 400 ? status.code : 400
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    ...(status as object),
    status: 'Failure',
    message,
    code,
  })
}

/** 500 of a webhook that must be asked and cannot be. */
export const callFailed = (name: string, why: string): ApiError =>
  internalError(`failed calling webhook ${JSON.stringify(name)}: ${why}`)
