import {
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  namespaces,
} from '../../../api/generated/resources.ts'
import type {
  MatchResources,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../api/generated/types/admissionregistration-v1.ts'
import { ApiError, forbidden } from '../../../api/errors/api-error.ts'
import { fromJson } from '../../../api/cel/values.ts'
import type { Frozen } from '../../../api/resource.ts'
import type { KindTable } from '../../../api/table.ts'
import type { Random } from '../../../base/random.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attributes } from '../admission.ts'
import { matchedKind, type Matching } from '../webhook/matching.ts'
import { admissionRequest } from '../webhook/review.ts'
import { CompiledPolicy, type Denial } from './compiled-policy.ts'
import { paramsOf, ParamsError } from './params.ts'
import { requestValues } from './request-language.ts'

/** What the plugin needs. */
export interface PolicyParts {
  readonly registry: Registry
  readonly kinds: KindTable
  readonly authorizer: Authorizer
  readonly random: Random
}

type Policy = Frozen<ValidatingAdmissionPolicy>
type Binding = Frozen<ValidatingAdmissionPolicyBinding>

/** Judges requests by the policies that are bound. */
export function judgeByPolicies(parts: PolicyParts, attributes: Attributes): void {
  const bindings = parts.registry.list(validatingAdmissionPolicyBindings)
  let refused: { policy: Policy; binding: Binding | undefined; denial: Denial } | undefined
  for (const policy of parts.registry.list(validatingAdmissionPolicies)) {
    const bound = bindings.filter(({ spec }) => spec?.policyName === policy.metadata.name)
    if (bound.length === 0) continue
    const refusal = judgeByPolicy(parts, policy, bound, attributes)
    refused ??= refusal && { policy, ...refusal }
  }
  if (refused) throw refusalOf(attributes, refused)
}

function judgeByPolicy(
  parts: PolicyParts,
  policy: Policy,
  bindings: readonly Binding[],
  attributes: Attributes,
): { binding: Binding | undefined; denial: Denial } | undefined {
  const { registry, kinds } = parts
  const context = { lookup: registry, kinds }
  const shown = matchedKind(context, matchingOf(policy.spec?.matchConstraints), attributes)
  if (!shown) return undefined
  const request = admissionRequest(attributes, shown, parts.random.uuid())
  const isNamespace = attributes.kind.resource.plural === 'namespaces' && attributes.kind.resource.group === ''
  const namespace =
    attributes.namespace && !isNamespace ? registry.get(namespaces, { name: attributes.namespace }) : undefined
  const values = requestValues(attributes, request, { authorizer: parts.authorizer, namespace })
  let refusal: { binding: Binding | undefined; denial: Denial } | undefined
  for (const binding of bindings) {
    if (!concerns(context, binding, attributes)) continue
    for (const denial of denialsOf(context, { policy, binding, attributes }, values)) {
      const actions = binding.spec?.validationActions ?? []
      if (actions.includes('Warn'))
        attributes.warn(
          `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${denial.message}`,
        )
      if (actions.includes('Deny')) refusal ??= { binding, denial }
    }
  }
  return refusal
}

const matchingOf = (match: Frozen<MatchResources> | undefined): Matching => ({
  rules: match?.resourceRules ?? [],
  excluded: match?.excludeResourceRules,
  matchPolicy: match?.matchPolicy,
  namespaceSelector: match?.namespaceSelector,
  objectSelector: match?.objectSelector,
})

const anything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], scope: '*' }

/** A binding may confine its policy further. */
function concerns(context: Parameters<typeof matchedKind>[0], { spec }: Binding, attributes: Attributes): boolean {
  const match = spec?.matchResources
  if (!match) return true
  const matching = matchingOf(match)
  return (
    matchedKind(context, matching.rules.length > 0 ? matching : { ...matching, rules: [anything] }, attributes) !==
    undefined
  )
}

const compiled = new WeakMap<object, CompiledPolicy>()

interface Bound {
  readonly policy: Policy
  readonly binding: Binding
  readonly attributes: Attributes
}

function denialsOf(
  context: Parameters<typeof matchedKind>[0],
  { policy, binding, attributes }: Bound,
  values: ReturnType<typeof requestValues>,
): Denial[] {
  const spec = policy.spec!
  let program = compiled.get(spec)
  if (!program) compiled.set(spec, (program = new CompiledPolicy(spec)))
  const judge = program
  try {
    return paramsOf(context, spec.paramKind, binding.spec?.paramRef, attributes.namespace).flatMap((params) =>
      judge.judge({ ...values, params: () => (params ? fromJson(params) : null) }),
    )
  } catch (error) {
    if (!(error instanceof ParamsError)) throw error
    return spec.failurePolicy === 'Ignore'
      ? []
      : [{ message: `failed to configure binding: ${error.message}`, reason: undefined, index: 0 }]
  }
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
}

function refusalOf(
  { kind, name, object }: Attributes,
  { policy, binding, denial }: { policy: Policy; binding: Binding | undefined; denial: Denial },
): ApiError {
  const message = `ValidatingAdmissionPolicy '${policy.metadata.name}'${binding ? ` with binding '${binding.metadata.name}'` : ''} denied request: ${denial.message}`
  const { status } = forbidden(kind.resource, name || object?.metadata.generateName || 'Unknown', message)
  const reason = denial.reason ?? 'Invalid'
  return new ApiError({
    ...status,
    reason,
    code: codes[reason] ?? 422,
    details: { ...status.details, causes: [...(status.details?.causes ?? []), { message }] },
  })
}
