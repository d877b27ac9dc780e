import { applyPatch } from '../../../api/patch/apply-patch.ts'
import {
  mutatingWebhookConfigurations,
  namespaces,
  validatingWebhookConfigurations,
} from '../../../api/generated/resources.ts'
import { ApiError } from '../../../api/errors/api-error.ts'
import { decodeSent } from '../../../api/schema/decode.ts'
import { DecodeError } from '../../../api/schema/decode-error.ts'
import { deepEqual } from '../../../api/schema/values.ts'
import type { Frozen, KubernetesObject } from '../../../api/resource.ts'
import type { Kind } from '../../../api/kind.ts'
import type { KindTable } from '../../../api/table.ts'
import type { Deps } from '../../../base/deps.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Draft } from '../../registry/resource-storage.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import { askWebhook, callFailed, denial, WebhookFailure, type Webhook } from './call.ts'
import type { Conditions } from './conditions.ts'
import { isExempt, matchedKind, type Matching } from './matching.ts'
import { admissionRequest, inVersion, type AdmissionRequest, type AdmissionResponse } from './review.ts'

/** What the plugins need. */
export interface WebhookParts extends Deps {
  readonly registry: Registry
  readonly kinds: KindTable
  readonly authorizer: Authorizer
  /** The mutating plugins of the server itself, which may have to look again at what webhooks made. */
  readonly others: () => readonly AdmissionPlugin[]
}

/** The webhooks of one sort, in upstream's order: by the names of their configurations, then as listed. */
function webhooksOf(
  { registry }: WebhookParts,
  resource: typeof mutatingWebhookConfigurations | typeof validatingWebhookConfigurations,
): Webhook[] {
  // Most requests find none.
  if (registry.storageOfResource(resource)?.cache.count() === 0) return []
  return registry
    .list<KubernetesObject>(resource)
    .flatMap((configuration) => (configuration as { webhooks?: readonly Webhook[] }).webhooks ?? [])
}

const matchingOf = ({ rules = [], matchPolicy, namespaceSelector, objectSelector }: Webhook): Matching => ({
  rules,
  matchPolicy,
  namespaceSelector,
  objectSelector,
})

/** Asks webhooks to change what is about to be stored. */
export function mutatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    handles: (_operation, kind) => !isExempt(kind),
    admit(attributes) {
      const webhooks = webhooksOf(parts, mutatingWebhookConfigurations)
      return webhooks.length === 0 ? undefined : mutate(parts, webhooks, attributes)
    },
  }
}

async function mutate(parts: WebhookParts, webhooks: readonly Webhook[], attributes: Attributes): Promise<void> {
  const again: { readonly webhook: Webhook; readonly seen: unknown }[] = []
  let changed = false
  for (const webhook of webhooks) {
    const called = await callMutating(parts, webhook, attributes)
    if (!called) continue
    changed ||= called.changed
    if ('reinvocationPolicy' in webhook && webhook.reinvocationPolicy === 'IfNeeded')
      again.push({ webhook, seen: structuredClone(attributes.object) })
  }
  if (!changed || !attributes.object) return
  for (const plugin of parts.others())
    if (plugin.admit && plugin.handles(attributes.operation, attributes.kind, attributes.subresource))
      await plugin.admit(attributes)
  for (const { webhook, seen } of again)
    if (!deepEqual(seen, attributes.object)) await callMutating(parts, webhook, attributes)
}

/** Calls one webhook if it is concerned; undefined when it is not. */
async function callMutating(
  parts: WebhookParts,
  webhook: Webhook,
  attributes: Attributes,
): Promise<{ changed: boolean } | undefined> {
  const asked = await ask(parts, webhook, attributes)
  if (!asked) return undefined
  const { response, shown, request } = asked
  if (!response.allowed) throw denial(webhook.name, response)
  if (!response.patch || !attributes.object || attributes.operation === 'CONNECT') return { changed: false }
  try {
    const patch: unknown = JSON.parse(Buffer.from(response.patch, 'base64').toString())
    if (Array.isArray(patch) && patch.length === 0) return { changed: false }
    const patched = applyPatch({
      type: 'json',
      schema: shown.schema,
      old: request.object as Frozen<KubernetesObject>,
      patch,
    })
    const draft = decodeSent(shown.schema, patched) as unknown as KubernetesObject
    shown.behaviour.defaults?.(draft)
    const before = structuredClone(attributes.object)
    replace(attributes.object, inVersion(draft, shown, attributes.kind))
    return { changed: !deepEqual(before, attributes.object) }
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof SyntaxError) && !(error instanceof DecodeError)) throw error
    if (webhook.failurePolicy === 'Ignore') return { changed: false }
    throw callFailed(webhook.name, error.message)
  }
}

/** The draft stays the same object: whoever made it holds it. */
function replace(draft: Draft, by: KubernetesObject): void {
  const target = draft as unknown as Record<string, unknown>
  for (const name of Object.keys(target)) delete target[name]
  Object.assign(target, by)
  draft.metadata ??= {}
}

/** Asks webhooks about what is about to be done. */
export function validatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (_operation, kind) => !isExempt(kind),
    validate(attributes) {
      const webhooks = webhooksOf(parts, validatingWebhookConfigurations)
      return webhooks.length === 0 ? undefined : validate(parts, webhooks, attributes)
    },
  }
}

async function validate(parts: WebhookParts, webhooks: readonly Webhook[], attributes: Attributes): Promise<void> {
  const results = await Promise.allSettled(
    webhooks.map(async (webhook) => {
      const asked = await ask(parts, webhook, attributes)
      if (asked && !asked.response.allowed) throw denial(webhook.name, asked.response)
    }),
  )
  const refused = results.find((result) => result.status === 'rejected')
  if (refused) throw refused.reason
}

interface Asked {
  readonly response: AdmissionResponse
  readonly shown: Kind
  readonly request: AdmissionRequest
}

/** Undefined: the webhook is not concerned, or may be left out when it cannot be asked. */
async function ask(parts: WebhookParts, webhook: Webhook, attributes: Attributes): Promise<Asked | undefined> {
  const { registry, kinds, random } = parts
  const shown = matchedKind({ lookup: registry, kinds }, matchingOf(webhook), attributes)
  if (!shown) return undefined
  const request = admissionRequest(attributes, shown, random.uuid())
  try {
    if (webhook.matchConditions?.length && !(await meets(parts, webhook, attributes, request))) return undefined
    const response = await askWebhook({ lookup: registry, clock: parts.clock, random }, webhook, attributes, request)
    for (const text of response.warnings ?? []) attributes.warn(text)
    return { response, shown, request }
  } catch (error) {
    if (!(error instanceof WebhookFailure)) throw error
    parts.log.warn({ webhook: webhook.name, err: error }, 'failed calling a webhook')
    if (webhook.failurePolicy === 'Ignore') return undefined
    throw callFailed(webhook.name, error.message)
  }
}

const compiled = new WeakMap<object, Conditions>()

async function meets(
  { registry, authorizer }: WebhookParts,
  webhook: Webhook,
  attributes: Attributes,
  request: AdmissionRequest,
): Promise<boolean> {
  const [{ compileConditions }, { requestValues }] = await Promise.all([
    import('./conditions.ts'),
    import('../policy/request-language.ts'),
  ])
  const list = webhook.matchConditions!
  let conditions = compiled.get(list)
  if (!conditions) compiled.set(list, (conditions = compileConditions(list, { namespaceObject: false })))
  const unmet = conditions.unmet(
    requestValues(attributes, request, {
      authorizer,
      namespace: attributes.namespace ? registry.get(namespaces, { name: attributes.namespace }) : undefined,
    }),
  )
  if (unmet?.error !== undefined) throw new WebhookFailure(unmet.error)
  return !unmet
}
