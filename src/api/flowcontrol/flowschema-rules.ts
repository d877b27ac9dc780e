import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../generated/types/flowcontrol-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isLabel, isSubdomain } from '../validation/names.ts'
import { checkFlowConditions } from './conditions.ts'
import { mandatorySchemas } from './mandatory.ts'

const precedenceMax = 10_000
const distinguishers = ['ByNamespace', 'ByUser']
const subjectKinds = ['Group', 'ServiceAccount', 'User']
const verbsKnown = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

/** The rules of a flow schema. */
export function checkFlowSchema(
  { metadata: { name = '' }, spec, status }: Frozen<FlowSchema>,
  errors: FieldErrors,
): void {
  const at = field('spec')
  if (spec) checkSpec(spec, name, at, errors)
  const fixed = mandatorySchemas.get(name)
  if (fixed && !equal(spec, fixed)) errors.invalid(at, spec, `spec of '${name}' must equal the fixed value`)
  checkFlowConditions(status?.conditions, errors)
}

function checkSpec(
  {
    matchingPrecedence: precedence = 0,
    distinguisherMethod,
    priorityLevelConfiguration,
    rules,
  }: Frozen<FlowSchemaSpec>,
  name: string,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const path = at.child('matchingPrecedence')
  if (precedence <= 0) errors.invalid(path, precedence, 'must be a positive value')
  if (precedence > precedenceMax) errors.invalid(path, precedence, `must not be greater than ${precedenceMax}`)
  if (precedence === 1 && name !== 'exempt')
    errors.invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")
  if (distinguisherMethod && !distinguishers.includes(distinguisherMethod.type))
    errors.notSupported(at.child('distinguisherMethod', 'type'), distinguisherMethod, distinguishers)
  const level = priorityLevelConfiguration?.name
  if (level) checkText(isSubdomain, level, at.child('priorityLevelConfiguration', 'name'), errors)
  else errors.required(at.child('priorityLevelConfiguration', 'name'), 'must reference a priority level')
  rules?.forEach((rule, i) => checkRule(rule, at.child('rules').index(i), errors))
}

function checkRule(
  { subjects, resourceRules, nonResourceRules }: Frozen<PolicyRulesWithSubjects>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (subjects?.length) subjects.forEach((subject, i) => checkSubject(subject, at.child('subjects').index(i), errors))
  else errors.required(at.child('subjects'), 'subjects must contain at least one value')
  if (!resourceRules?.length && !nonResourceRules?.length)
    errors.required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty')
  resourceRules?.forEach((rule, i) => checkResourceRule(rule, at.child('resourceRules').index(i), errors))
  nonResourceRules?.forEach((rule, i) => checkNonResourceRule(rule, at.child('nonResourceRules').index(i), errors))
}

const subjectFields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function checkSubject(subject: Frozen<Subject>, at: FieldPath, errors: FieldErrors): void {
  if (!subjectKinds.includes(subject.kind))
    return errors.notSupported(at.child('kind'), subject.kind ?? '', subjectKinds)
  const kind = subject.kind as keyof typeof subjectFields
  const own = subjectFields[kind]
  const path = at.child(own)
  const named = subject[own]
  if (!named) errors.required(path, `${own} is required when subject kind is '${kind}'`)
  else if (!named.name) errors.required(path.child('name'))
  else if (kind === 'ServiceAccount' && named.name !== '*')
    checkText(isSubdomain, named.name, path.child('name'), errors)
  if (kind === 'ServiceAccount' && subject.serviceAccount) {
    const { namespace } = subject.serviceAccount
    if (namespace) checkText(isLabel, namespace, path.child('namespace'), errors)
    else errors.required(path.child('namespace'), 'must specify namespace for service account')
  }
  for (const [other, name] of Object.entries(subjectFields)) {
    if (other !== kind && subject[name])
      errors.forbidden(at.child(name), `${name} is forbidden when subject kind is not '${other}'`)
  }
}

function checkVerbs(verbs: readonly string[] | undefined, at: FieldPath, errors: FieldErrors): void {
  if (!verbs?.length) errors.required(at, 'verbs must contain at least one value')
  else if (verbs.includes('*')) {
    if (verbs.length > 1) errors.invalid(at, verbs, "if '*' is present, must not specify other verbs")
  } else if (!verbs.every((verb) => verbsKnown.includes(verb))) errors.notSupported(at, verbs, verbsKnown)
}

function checkResourceRule(
  { verbs, apiGroups, resources, namespaces, clusterScope }: Frozen<ResourcePolicyRule>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkVerbs(verbs, at.child('verbs'), errors)
  checkListed(apiGroups, 'api group', at.child('apiGroups'), errors)
  checkListed(resources, 'resource', at.child('resources'), errors)
  const path = at.child('namespaces')
  if (!namespaces?.length && !clusterScope)
    errors.required(path, 'resource rules that are not cluster scoped must supply at least one namespace')
  else if (namespaces?.includes('*')) {
    if (namespaces.length > 1) errors.invalid(path, namespaces, "if '*' is present, must not specify other namespaces")
  } else {
    namespaces?.forEach((namespace, i) => {
      for (const problem of isLabel(namespace))
        errors.invalid(path.index(i), namespace, `each member of this list must be '*' or a DNS-1123 label; ${problem}`)
    })
  }
}

function checkListed(list: readonly string[] | undefined, what: string, at: FieldPath, errors: FieldErrors): void {
  if (!list?.length) errors.required(at, `resource rules must supply at least one ${what}`)
  else if (list.length > 1 && list.includes('*'))
    errors.invalid(at, list, `if '*' is present, must not specify other ${what}s`)
}

function checkNonResourceRule(
  { verbs, nonResourceURLs: urls }: Frozen<NonResourcePolicyRule>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkVerbs(verbs, at.child('verbs'), errors)
  const path = at.child('nonResourceURLs')
  if (!urls?.length) errors.required(path, 'nonResourceURLs must contain at least one value')
  else if (urls.includes('*')) {
    if (urls.length > 1) errors.invalid(path, urls, "if '*' is present, must not specify other non-resource URLs")
  } else {
    urls.forEach((url, i) => {
      const problem = urlProblem(url)
      if (problem) errors.invalid(path.index(i), url, problem)
    })
  }
}

function urlProblem(url: string): string | undefined {
  if (!url) return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const stars = url.split('*').length - 1
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}
