import type { PolicyRule, RoleRef, Subject } from '../generated/types/rbac-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkRequiredText, checkText, isPathSegment } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isSubdomain } from '../validation/names.ts'

const rbacGroup = 'rbac.authorization.k8s.io'
const subjectKinds = ['Group', 'ServiceAccount', 'User']

/** The rules of what a role allows. */
export function checkPolicyRules(
  rules: readonly Frozen<PolicyRule>[] | null | undefined,
  namespaced: boolean,
  errors: FieldErrors,
): void {
  rules?.forEach((rule, i) => checkPolicyRule(rule, namespaced, field('rules').index(i), errors))
}

function checkPolicyRule(
  { verbs, nonResourceURLs: urls, apiGroups, resources, resourceNames }: Frozen<PolicyRule>,
  namespaced: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!verbs?.length) errors.required(at.child('verbs'), 'verbs must contain at least one value')
  if (urls?.length) {
    if (namespaced)
      errors.invalid(at.child('nonResourceURLs'), urls, 'namespaced rules cannot apply to non-resource URLs')
    if (apiGroups?.length || resources?.length || resourceNames?.length)
      errors.invalid(
        at.child('nonResourceURLs'),
        urls,
        'rules cannot apply to both regular resources and non-resource URLs',
      )
    return
  }
  if (!apiGroups?.length) errors.required(at.child('apiGroups'), 'resource rules must supply at least one api group')
  if (!resources?.length) errors.required(at.child('resources'), 'resource rules must supply at least one resource')
}

interface Binding {
  readonly roleRef?: Frozen<RoleRef>
  readonly subjects?: readonly Frozen<Subject>[]
}

/** Groups that go without saying. */
export function defaultBinding(binding: { roleRef?: RoleRef; subjects?: Subject[] }): void {
  binding.roleRef ??= { apiGroup: '', kind: '', name: '' }
  binding.roleRef.apiGroup ||= rbacGroup
  for (const subject of binding.subjects ?? [])
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = rbacGroup
}

/** The rules of a binding of one or the other kind. */
export function checkBinding({ roleRef, subjects }: Binding, namespaced: boolean, errors: FieldErrors): void {
  const at = field('roleRef')
  const kinds = namespaced ? ['ClusterRole', 'Role'] : ['ClusterRole']
  if (roleRef?.apiGroup !== rbacGroup) errors.notSupported(at.child('apiGroup'), roleRef?.apiGroup ?? '', [rbacGroup])
  if (!kinds.includes(roleRef?.kind ?? ''))
    errors.notSupported(at.child('kind'), roleRef?.kind ?? '', namespaced ? ['Role', 'ClusterRole'] : kinds)
  checkRequiredText(isPathSegment, roleRef?.name, at.child('name'), errors)
  subjects?.forEach((subject, i) => checkSubject(subject, namespaced, field('subjects').index(i), errors))
}

/** The same for a change: a binding keeps its role. */
export function checkBindingUpdate(binding: Binding, old: Binding, namespaced: boolean, errors: FieldErrors): void {
  checkBinding(binding, namespaced, errors)
  if (!equal(binding.roleRef, old.roleRef)) errors.invalid(field('roleRef'), binding.roleRef, 'cannot change roleRef')
}

function checkSubject(
  { kind = '', name = '', apiGroup = '', namespace = '' }: Frozen<Subject>,
  namespaced: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!name) errors.required(at.child('name'))
  if (kind === 'ServiceAccount') {
    if (name) checkText(isSubdomain, name, at.child('name'), errors)
    if (apiGroup) errors.notSupported(at.child('apiGroup'), apiGroup, [''])
    if (!namespaced && !namespace) errors.required(at.child('namespace'))
  } else if (!subjectKinds.includes(kind))
    errors.notSupported(at.child('kind'), kind, ['ServiceAccount', 'User', 'Group'])
  else if (apiGroup !== rbacGroup) errors.notSupported(at.child('apiGroup'), apiGroup, [rbacGroup])
}
