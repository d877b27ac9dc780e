import { ApiError } from '../../api/errors/api-error.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../../api/generated/resources.ts'
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../api/generated/types/rbac-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { equal } from '../../api/validation/equal.ts'
import { matcherOf } from '../../api/selector/label.ts'
import type { AdmissionPlugin, Attributes } from '../admission/admission.ts'
import { refusal } from '../admission/forbidden.ts'
import { isResource } from '../admission/kinds.ts'
import { mastersGroup } from '../authn/user.ts'
import type { Lookup } from '../registry/registry.ts'
import type { Authorizer } from './authorizer.ts'
import type { Rbac } from './rbac.ts'
import { uncovered } from './rules.ts'

/** Nobody grants more than they have: upstream's rule for roles and bindings, unless one may `escalate` or `bind`. */
export function escalation(lookup: Lookup, authorizer: Authorizer, rbac: Rbac): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: (operation, kind) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      [roles, clusterRoles, roleBindings, clusterRoleBindings].some((resource) => isResource(kind, resource)),
    validate(attributes) {
      const { user, kind } = attributes
      if (user.groups.includes(mastersGroup)) return
      const forRole = isResource(kind, roles) || isResource(kind, clusterRoles)
      if (forRole ? mayEscalate(authorizer, attributes) : mayBind(authorizer, attributes)) return
      const wanted = forRole ? wantedByRole(lookup, attributes) : wantedByBinding(rbac, attributes)
      if (!wanted) return
      const owned = [...rbac.grants(user, attributes.namespace)].flatMap(({ rules }) => rules)
      const missing = uncovered(owned, wanted)
      if (missing.length === 0) return
      const { status } = refusal(
        attributes,
        `user ${JSON.stringify(user.name)} (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${missing.map(ruleText).join('\n')}`,
      )
      throw new ApiError(status)
    },
  }
}

function mayEscalate(authorizer: Authorizer, { user, kind, namespace, name }: Attributes): boolean {
  const { group, version, plural } = kind.resource
  return (
    authorizer.authorize({
      user,
      verb: 'escalate',
      isResource: true,
      path: '',
      group,
      version,
      namespace,
      resource: plural,
      subresource: '',
      name,
    }).verdict === 'allow'
  )
}

function mayBind(authorizer: Authorizer, { user, kind, namespace, object }: Attributes): boolean {
  const ref = (object as ClusterRoleBinding).roleRef
  const resource = ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  return (
    authorizer.authorize({
      user,
      verb: 'bind',
      isResource: true,
      path: '',
      group: 'rbac.authorization.k8s.io',
      version: kind.resource.version,
      namespace,
      resource,
      subresource: '',
      name: ref.name ?? '',
    }).verdict === 'allow'
  )
}

/** The rules that the role is about to have; undefined when they do not change. */
function wantedByRole(lookup: Lookup, { object, old }: Attributes): readonly Frozen<PolicyRule>[] | undefined {
  const role = object as ClusterRole
  const before = old as Frozen<ClusterRole> | undefined
  if (before && equal(role.rules, before.rules) && equal(role.aggregationRule, before.aggregationRule)) return undefined
  const selectors = role.aggregationRule?.clusterRoleSelectors
  if (!selectors?.length) return role.rules ?? []
  // An aggregated role grants whatever roles will be chosen: only who may do everything may make one.
  const chosen = lookup
    .list(clusterRoles)
    .filter(({ metadata }) => selectors.some((selector) => matcherOf(selector).matches(metadata?.labels ?? {})))
  return [
    ...(role.rules ?? []),
    ...chosen.flatMap(({ rules }) => rules ?? []),
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  ]
}

function wantedByBinding(
  rbac: Rbac,
  { object, old, namespace }: Attributes,
): readonly Frozen<PolicyRule>[] | undefined {
  const binding = object as ClusterRoleBinding
  const before = old as Frozen<ClusterRoleBinding> | undefined
  if (before && equal(binding.roleRef, before.roleRef) && equal(binding.subjects, before.subjects)) return undefined
  return rbac.rulesOf(binding.roleRef, namespace)
}

const list = (values: readonly string[] | undefined): string => JSON.stringify(values)

function ruleText({ apiGroups, resources, resourceNames, nonResourceURLs, verbs }: PolicyRule): string {
  return `{${[apiGroups && `APIGroups:${list(apiGroups)}`, resources && `Resources:${list(resources)}`, resourceNames && `ResourceNames:${list(resourceNames)}`, nonResourceURLs && `NonResourceURLs:${list(nonResourceURLs)}`, `Verbs:${list(verbs)}`].filter(Boolean).join(', ')}}`
}
