import type { MutatingWebhook, ValidatingWebhook } from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkLabelSelector, hasInvalidValues } from '../validation/labels.ts'
import { isDns1035Label, isSubdomain } from '../validation/names.ts'
import { checkWebhookClient } from '../validation/webhook-client.ts'
import { checkMatchConditions } from './match-conditions.ts'
import { checkRule, defaultRules } from './rules.ts'

type Webhook = ValidatingWebhook | MutatingWebhook
type Webhooks = readonly Frozen<Webhook>[]

const failurePolicies = ['Fail', 'Ignore']
const matchPolicies = ['Equivalent', 'Exact']
const reinvocationPolicies = ['IfNeeded', 'Never']
const sideEffectFree = ['None', 'NoneOnDryRun']
const sideEffectsKnown = ['None', 'NoneOnDryRun', 'Some', 'Unknown']
const reviewVersions = ['v1', 'v1beta1']

/** Fills in what the author left out. */
export function defaultWebhooks(webhooks: readonly Webhook[] | undefined): void {
  for (const webhook of webhooks ?? []) {
    webhook.failurePolicy ??= 'Fail'
    webhook.matchPolicy ??= 'Equivalent'
    webhook.namespaceSelector ??= {}
    webhook.objectSelector ??= {}
    webhook.timeoutSeconds ??= 10
    if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443
    defaultRules(webhook.rules)
  }
}

/** What existing webhooks may keep although new ones are refused with it. */
interface Tolerated {
  readonly sideEffects: boolean
  readonly reviewVersions: boolean
  readonly sameNames: boolean
  readonly labelValues: boolean
  readonly conditions: boolean
}

const nothing: Tolerated = {
  sideEffects: false,
  reviewVersions: false,
  sameNames: false,
  labelValues: false,
  conditions: false,
}

function toleratedBy(old: Webhooks, now: Webhooks): Tolerated {
  const names = old.map(({ name }) => name)
  return {
    sideEffects: old.some(({ sideEffects }) => !sideEffectFree.includes(sideEffects)),
    reviewVersions: old.some(
      ({ admissionReviewVersions: versions }) =>
        versions?.length && !versions.some((version) => reviewVersions.includes(version)),
    ),
    sameNames: new Set(names).size < names.length,
    labelValues: old.some(
      ({ namespaceSelector, objectSelector }) =>
        hasInvalidValues(namespaceSelector) || hasInvalidValues(objectSelector),
    ),
    conditions:
      old.length === now.length &&
      old.every(({ matchConditions }, i) => equal(matchConditions, now[i]?.matchConditions)),
  }
}

/** The rules of a configuration's webhooks; `old` are those that they replace. */
export function checkWebhooks(webhooks: Webhooks = [], old: Webhooks | undefined, errors: FieldErrors): void {
  const tolerated = old ? toleratedBy(old, webhooks) : nothing
  const names = new Set<string>()
  webhooks.forEach((webhook, i) => {
    const at = field('webhooks').index(i)
    checkWebhook(webhook, at, errors, tolerated)
    checkReviewVersions(webhook.admissionReviewVersions ?? [], at.child('admissionReviewVersions'), errors, tolerated)
    if (tolerated.sameNames || !webhook.name) return
    if (names.has(webhook.name)) errors.duplicate(at.child('name'), webhook.name)
    names.add(webhook.name)
  })
}

function checkWebhook(webhook: Frozen<Webhook>, at: FieldPath, errors: FieldErrors, tolerated: Tolerated): void {
  const { failurePolicy, matchPolicy, timeoutSeconds: timeout } = webhook
  checkQualifiedName(webhook.name, at.child('name'), errors)
  webhook.rules?.forEach((rule, i) => checkRule(rule, at.child('rules').index(i), errors))
  if (failurePolicy !== undefined && !failurePolicies.includes(failurePolicy))
    errors.notSupported(at.child('failurePolicy'), failurePolicy, failurePolicies)
  if (matchPolicy !== undefined && !matchPolicies.includes(matchPolicy))
    errors.notSupported(at.child('matchPolicy'), matchPolicy, matchPolicies)
  checkSideEffects(
    webhook.sideEffects,
    tolerated.sideEffects ? sideEffectsKnown : sideEffectFree,
    at.child('sideEffects'),
    errors,
  )
  if (timeout !== undefined && (timeout > 30 || timeout < 1))
    errors.invalid(at.child('timeoutSeconds'), timeout, 'the timeout value must be between 1 and 30 seconds')
  for (const name of ['namespaceSelector', 'objectSelector'] as const)
    if (webhook[name]) checkLabelSelector(webhook[name], at.child(name), errors, { anyValue: tolerated.labelValues })
  const again = 'reinvocationPolicy' in webhook ? webhook.reinvocationPolicy : undefined
  if (again !== undefined && !reinvocationPolicies.includes(again))
    errors.notSupported(at.child('reinvocationPolicy'), again, reinvocationPolicies)
  checkWebhookClient(webhook.clientConfig ?? {}, at.child('clientConfig'), errors)
  if (!tolerated.conditions)
    checkMatchConditions(
      webhook.matchConditions,
      { params: false, authorizer: true, yields: 'bool' },
      at.child('matchConditions'),
      errors,
    )
}

function checkQualifiedName(name: string | undefined, at: FieldPath, errors: FieldErrors): void {
  if (!name) return errors.required(at)
  const problems = isSubdomain(name)
  if (problems.length) errors.invalid(at, name, problems.join(','))
  else if (name.split('.').length < 3)
    errors.invalid(at, name, 'should be a domain with at least three segments separated by dots')
}

function checkSideEffects(
  sideEffects: string | undefined,
  allowed: readonly string[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (sideEffects === undefined || sideEffects === null)
    errors.required(at, `must specify one of ${allowed.join(', ')}`)
  else if (!allowed.includes(sideEffects)) errors.notSupported(at, sideEffects, allowed)
}

function checkReviewVersions(
  versions: readonly string[],
  at: FieldPath,
  errors: FieldErrors,
  tolerated: Tolerated,
): void {
  if (versions.length === 0) return errors.required(at, `must specify one of ${reviewVersions.join(', ')}`)
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) return errors.invalid(at.index(i), version, 'duplicate version')
    for (const problem of isDns1035Label(version)) errors.invalid(at.index(i), version, problem)
  })
  if (!tolerated.reviewVersions && !versions.some((version) => reviewVersions.includes(version)))
    errors.invalid(at, versions, `must include at least one of ${reviewVersions.join(', ')}`)
}
