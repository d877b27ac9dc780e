import type {
  MatchResources,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
} from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText, isPathSegment } from '../validation/check.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { checkLabelSelector } from '../validation/labels.ts'
import { isDns1035Label, isSubdomain } from '../validation/names.ts'
import { checkRule, defaultRules } from './rules.ts'

const matchPolicies = ['Equivalent', 'Exact']
const notFoundActions = ['Deny', 'Allow']

/** Fills in what the author left out. */
export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

/** Which objects a policy is about. */
export function checkMatchResources(
  match: Frozen<MatchResources> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!match) return
  const { matchPolicy } = match
  if (matchPolicy === undefined) errors.required(at.child('matchPolicy'))
  else if (!matchPolicies.includes(matchPolicy))
    errors.notSupported(at.child('matchPolicy'), matchPolicy, matchPolicies)
  for (const name of ['namespaceSelector', 'objectSelector'] as const) {
    if (match[name]) checkLabelSelector(match[name], at.child(name), errors)
    else errors.required(at.child(name))
  }
  match.resourceRules?.forEach((rule, i) => checkNamedRule(rule, at.child('resourceRules').index(i), errors))
  match.excludeResourceRules?.forEach((rule, i) =>
    checkNamedRule(rule, at.child('excludeResourceRules').index(i), errors),
  )
}

function checkNamedRule(rule: Frozen<NamedRuleWithOperations>, at: FieldPath, errors: FieldErrors): void {
  rule.resourceNames?.forEach((name, i) => {
    const path = at.child('resourceNames').index(i)
    checkText(isPathSegment, name, path, errors)
    if ((rule.resourceNames?.indexOf(name) ?? i) < i) errors.duplicate(path, name)
  })
  checkRule(rule, at, errors)
}

/** The kind of objects that parametrise a policy. */
export function checkParamKind(
  { apiVersion = '', kind = '' }: Frozen<ParamKind>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkVersion(apiVersion, at.child('apiVersion'), errors)
  if (!kind) return errors.required(at.child('kind'))
  const problems = isDns1035Label(kind.toLowerCase())
  if (problems.length)
    errors.invalid(at.child('kind'), kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`)
}

function checkVersion(apiVersion: string, at: FieldPath, errors: FieldErrors): void {
  if (!apiVersion) return errors.required(at)
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/')
  if (parts.length > 2) return errors.invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  const version = parts.at(-1) ?? ''
  const wrongGroup = group ? isSubdomain(group) : []
  if (wrongGroup.length) errors.invalid(at, group, wrongGroup.join(','))
  if (!version) return errors.invalid(at, apiVersion, 'version must be specified')
  const problems = isDns1035Label(version)
  if (problems.length) errors.invalid(at, version, problems.join(','))
}

/** Which objects those are. */
export function checkParamRef(reference: Frozen<ParamRef>, at: FieldPath, errors: FieldErrors): void {
  const { name, selector, parameterNotFoundAction: action } = reference
  const exclusive = 'name and selector are mutually exclusive'
  if (name) checkText(isPathSegment, name, at.child('name'), errors)
  if (name && selector) errors.forbidden(at.child('name'), exclusive)
  if (selector) checkLabelSelector(selector, at.child('selector'), errors)
  if (name && selector) errors.forbidden(at.child('selector'), exclusive)
  if (!name && !selector) errors.required(at, 'one of name or selector must be specified')
  if (!action) errors.required(at.child('parameterNotFoundAction'))
  else if (!notFoundActions.includes(action))
    errors.notSupported(at.child('parameterNotFoundAction'), action, notFoundActions)
}
