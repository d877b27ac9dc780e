import { mastersGroup, nodeNameOf, type User } from '../authn/user.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import { alwaysAllow, alwaysDeny, firstOpinion, privilegedGroups, type Authorizer, type RulesOf } from './authorizer.ts'
import { NodeAuthorizer } from './node-authorizer.ts'
import { bindingResources, Rbac } from './rbac.ts'

/** Who decides, and what rules apply to a user. */
export interface Authorization {
  readonly authorizer: Authorizer
  readonly rulesFor: (user: User, namespace: string) => RulesOf & { readonly incomplete?: boolean }
  readonly rbac: Rbac | undefined
}

const everything: RulesOf = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}

/** The authorizers that the options name, in their order, behind the one that lets system:masters do everything. */
export async function newAuthorizer(
  { authorizationModes = ['Node', 'RBAC'] }: ApiServerOptions,
  registry: Registry,
): Promise<Authorization> {
  const authorizers: Authorizer[] = [privilegedGroups([mastersGroup])]
  let rbac: Rbac | undefined
  for (const mode of authorizationModes) {
    if (mode === 'AlwaysAllow') authorizers.push(alwaysAllow)
    else if (mode === 'AlwaysDeny') authorizers.push(alwaysDeny)
    else if (mode === 'Node') authorizers.push(await NodeAuthorizer.start(registry))
    else {
      const [cluster, namespaced] = bindingResources.map((resource) => registry.storageOfResource(resource)!.cache)
      rbac = await Rbac.start(registry, cluster!, namespaced!)
      authorizers.push(rbac)
    }
  }
  const rulesFor = (user: User, namespace: string) => {
    const known = rbac?.rulesFor(user, namespace) ?? { resourceRules: [], nonResourceRules: [] }
    const all = authorizationModes.includes('AlwaysAllow') || user.groups.includes(mastersGroup)
    const rules = all
      ? {
          resourceRules: [...everything.resourceRules, ...known.resourceRules],
          nonResourceRules: [...everything.nonResourceRules, ...known.nonResourceRules],
        }
      : known
    return { ...rules, incomplete: authorizationModes.includes('Node') && nodeNameOf(user) !== undefined }
  }
  return { authorizer: firstOpinion(authorizers), rulesFor, rbac }
}
