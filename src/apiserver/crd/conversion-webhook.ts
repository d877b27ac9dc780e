import { ApiError, internalError } from '../../api/errors/api-error.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { deepEqual } from '../../api/schema/values.ts'
import { postJson, type Outbound } from '../outbound/post-json.ts'

/** Turns objects into another version, all at once. */
export type Convert = (objects: readonly Frozen<KubernetesObject>[], apiVersion: string) => Promise<KubernetesObject[]>

const timeoutMs = 30_000
const reviewVersions = ['v1', 'v1beta1']

interface Review {
  readonly response?: {
    readonly uid?: string
    readonly convertedObjects?: readonly KubernetesObject[]
    readonly result?: { readonly status?: string; readonly message?: string }
  }
}

/** The conversion of a definition that has a webhook for it; undefined for one that has none. */
export function conversionWebhook(outbound: Outbound, { spec }: Frozen<CustomResourceDefinition>): Convert | undefined {
  const webhook = spec.conversion?.strategy === 'Webhook' ? spec.conversion.webhook : undefined
  if (!webhook) return undefined
  const version = webhook.conversionReviewVersions.find((each) => reviewVersions.includes(each)) ?? 'v1'
  return async (objects, apiVersion) => {
    const uid = outbound.random.uuid()
    const failed = (why: string): ApiError =>
      internalError(
        `conversion webhook for ${objects[0]?.apiVersion ?? ''}, Kind=${objects[0]?.kind ?? ''} failed: ${why}`,
      )
    let review: Review
    try {
      const body = {
        kind: 'ConversionReview',
        apiVersion: `apiextensions.k8s.io/${version}`,
        request: { uid, desiredAPIVersion: apiVersion, objects },
      }
      review = (await postJson(outbound, { config: webhook.clientConfig ?? {}, body, timeoutMs })) as Review
    } catch (error) {
      throw failed(error instanceof Error ? error.message : String(error))
    }
    const { response } = review
    if (!response) throw failed('the answer has no response')
    if (response.uid !== uid)
      throw failed(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
    if (response.result?.status !== 'Success') throw failed(response.result?.message ?? 'no reason was given')
    const converted = response.convertedObjects ?? []
    if (converted.length !== objects.length)
      throw failed(`expected ${objects.length} converted objects, got ${converted.length}`)
    return converted.map((object, i) => {
      const before = objects[i]!
      if (object.apiVersion !== apiVersion)
        throw failed(
          `invalid converted object at index ${i}: invalid groupVersion (expected ${apiVersion}, received ${object.apiVersion ?? ''})`,
        )
      if (object.kind !== before.kind)
        throw failed(
          `invalid converted object at index ${i}: invalid kind (expected ${before.kind}, received ${object.kind ?? ''})`,
        )
      for (const name of ['name', 'namespace', 'uid'] as const)
        if (!deepEqual(object.metadata?.[name], before.metadata?.[name]))
          throw failed(`invalid metadata in object at index ${i}: metadata.${name} must not be changed`)
      // Nothing of the metadata but labels and annotations is the webhook's to change.
      const metadata = structuredClone(before.metadata ?? {}) as NonNullable<KubernetesObject['metadata']>
      const { labels, annotations } = object.metadata ?? {}
      if (labels) metadata.labels = labels
      else delete metadata.labels
      if (annotations) metadata.annotations = annotations
      else delete metadata.annotations
      return { ...object, metadata }
    })
  }
}
