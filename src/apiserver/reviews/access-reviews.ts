import { badRequest, invalid } from '../../api/errors/api-error.ts'
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../../api/generated/types/authorization-v1.ts'
import type { KubernetesObject } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import { field, FieldErrors, type FieldPath } from '../../api/validation/field.ts'
import { valueAnswer } from '../answer/answer.ts'
import type { User } from '../authn/user.ts'
import type { Ask, RulesOf } from '../authz/authorizer.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeBody } from '../request/decode-body.ts'
import { writeOptions } from '../request/options.ts'
import type { Core } from '../verbs/core.ts'
import { writeOf } from '../verbs/create.ts'
import { recordFields } from '../verbs/write.ts'

type Spec = Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>

/** POST of a review that asks what somebody, or the client itself, may do. */
export async function subjectAccessReview(core: Core, request: ResourceRequest) {
  const review = await read<SubjectAccessReview>(core, request)
  const { spec = {} } = review
  check(request, review, (errors, at) => checkSubject(spec, errors, at))
  return answer(core, request, review, askBy(userOf(spec), spec))
}

/** The same, confined to a namespace. */
export async function localSubjectAccessReview(core: Core, request: ResourceRequest) {
  const review = await read<LocalSubjectAccessReview>(core, request)
  const { spec = {}, metadata = {} } = review
  const { namespace } = request.info
  check(request, review, (errors, at) => {
    checkSubject(spec, errors, at)
    if (spec.resourceAttributes && spec.resourceAttributes.namespace !== (metadata.namespace ?? ''))
      errors.invalid(
        at.child('resourceAttributes', 'namespace'),
        spec.resourceAttributes.namespace ?? '',
        'must match metadata.namespace',
      )
    if (spec.nonResourceAttributes)
      errors.invalid(
        at.child('nonResourceAttributes'),
        spec.nonResourceAttributes,
        'disallowed on this kind of request',
      )
  })
  if (metadata.namespace !== namespace || (spec.resourceAttributes?.namespace ?? '') !== namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
  return answer(core, request, review, askBy(userOf(spec), spec))
}

/** What the client itself may do. */
export async function selfSubjectAccessReview(core: Core, request: ResourceRequest) {
  const review = await read<SelfSubjectAccessReview>(core, request)
  const { spec = {} } = review
  check(request, review, () => {})
  return answer(core, request, review, askBy(request.user, spec))
}

/** All that the client itself may do in a namespace. */
export function selfSubjectRulesReview(
  rulesFor: (user: User, namespace: string) => RulesOf & { incomplete?: boolean },
) {
  return async (core: Core, request: ResourceRequest) => {
    const review = await read<SelfSubjectRulesReview>(core, request)
    const namespace = review.spec?.namespace ?? ''
    if (namespace === '') throw badRequest('no namespace on request')
    const { resourceRules, nonResourceRules, incomplete = false } = rulesFor(request.user, namespace)
    const status = {
      resourceRules,
      nonResourceRules,
      incomplete,
      ...(incomplete && { evaluationError: 'node authorizer does not support user rule resolution' }),
    }
    return valueAnswer(
      normalise(request.kind.schema, {
        kind: review.kind,
        apiVersion: review.apiVersion,
        metadata: {},
        spec: {},
        status,
      }) as KubernetesObject,
      201,
    )
  }
}

async function read<T extends KubernetesObject>(core: Core, request: ResourceRequest): Promise<T> {
  const options = writeOptions(request.query, 'CreateOptions')
  const draft = await decodeBody(request, request.kind, options.fieldValidation)
  if (request.kind.resource.namespaced) {
    if (draft.metadata.namespace && draft.metadata.namespace !== request.info.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
    draft.metadata.namespace = request.info.namespace
  } else delete draft.metadata.namespace
  recordFields(core, writeOf(request, options, 'CreateOptions'), draft, undefined)
  return draft as T
}

function check(
  { kind, info }: ResourceRequest,
  { spec = {}, metadata = {} }: KubernetesObject & { spec?: Spec },
  more: (errors: FieldErrors, at: FieldPath) => void,
): void {
  const errors = new FieldErrors()
  const at = field('spec')
  const both = spec.resourceAttributes && spec.nonResourceAttributes
  if (both)
    errors.invalid(
      at.child('nonResourceAttributes'),
      spec.nonResourceAttributes,
      'cannot be specified in combination with resourceAttributes',
    )
  if (!spec.resourceAttributes && !spec.nonResourceAttributes)
    errors.invalid(
      at.child('resourceAttributes'),
      spec.nonResourceAttributes ?? null,
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    )
  if (spec.resourceAttributes) checkSelectors(spec.resourceAttributes, at.child('resourceAttributes'), errors)
  more(errors, at)
  const { namespace: _namespace, managedFields: _fields, ...others } = metadata
  if (Object.keys(others).length > 0) errors.invalid(field('metadata'), others, 'must be empty except for namespace')
  if (!errors.empty) throw invalid(kind.resource.group, '', info.name, errors)
}

const operators = { label: ['In', 'NotIn', 'Exists', 'DoesNotExist'], field: ['In', 'NotIn', 'Exists', 'DoesNotExist'] }

function checkSelectors(
  { fieldSelector, labelSelector }: NonNullable<Spec['resourceAttributes']>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  for (const [name, selector] of [
    ['fieldSelector', fieldSelector],
    ['labelSelector', labelSelector],
  ] as const) {
    if (!selector) continue
    const own = at.child(name)
    const { rawSelector, requirements } = selector
    if (rawSelector && requirements?.length)
      errors.invalid(own.child('rawSelector'), rawSelector, 'may not specified at the same time as requirements')
    if (!rawSelector && !requirements?.length)
      errors.required(
        own.child('requirements'),
        'when fieldSelector is specified, requirements or rawSelector is required',
      )
    requirements?.forEach(({ key, operator, values }, i) => {
      const each = own.child('requirements').index(i)
      if (!key) errors.required(each.child('key'), 'must be specified')
      if (!operators.label.includes(operator ?? ''))
        errors.notSupported(each.child('operator'), operator ?? '', operators.label)
      else if ((operator === 'In' || operator === 'NotIn') && !values?.length)
        errors.required(each.child('values'), "must be specified when `operator` is 'In' or 'NotIn'")
      else if ((operator === 'Exists' || operator === 'DoesNotExist') && values?.length)
        errors.forbidden(each.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    })
  }
}

function checkSubject(spec: SubjectAccessReviewSpec, errors: FieldErrors, at: FieldPath): void {
  if (!spec.user && !spec.groups?.length)
    errors.invalid(at.child('user'), spec.user ?? '', 'at least one of user or group must be specified')
}

const userOf = ({ user, uid, groups, extra }: SubjectAccessReviewSpec): User => ({
  name: user ?? '',
  groups: groups ?? [],
  ...(uid && { uid }),
  ...(extra && { extra }),
})

function askBy(user: User, { resourceAttributes, nonResourceAttributes }: Spec): Ask {
  if (!resourceAttributes) {
    return {
      user,
      verb: nonResourceAttributes?.verb ?? '',
      isResource: false,
      path: nonResourceAttributes?.path ?? '',
      group: '',
      version: '',
      namespace: '',
      resource: '',
      subresource: '',
      name: '',
    }
  }
  const {
    verb = '',
    group = '',
    version = '',
    namespace = '',
    resource = '',
    subresource = '',
    name = '',
    fieldSelector,
    labelSelector,
  } = resourceAttributes
  return {
    user,
    verb,
    isResource: true,
    path: '',
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    fieldSelector: selectorText(fieldSelector),
    labelSelector: selectorText(labelSelector),
  }
}

/** A selector as lists have it in their query; only equalities confine. */
function selectorText(
  selector:
    | { rawSelector?: string; requirements?: { key?: string; operator?: string; values?: string[] }[] }
    | undefined,
): string | undefined {
  if (!selector) return undefined
  if (selector.rawSelector) return selector.rawSelector
  return selector.requirements
    ?.filter(({ operator, values }) => operator === 'In' && values?.length === 1)
    .map(({ key, values }) => `${key}=${values![0]}`)
    .join(',')
}

function answer(core: Core, request: ResourceRequest, review: KubernetesObject, ask: Ask) {
  const { verdict, reason } = core.authorizer.authorize(ask)
  const status = {
    allowed: verdict === 'allow',
    ...(verdict === 'deny' && { denied: true }),
    ...(reason && { reason }),
  }
  return valueAnswer(normalise(request.kind.schema, { ...review, status }) as KubernetesObject, 201)
}
