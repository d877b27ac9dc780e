import { mastersGroup } from '../authn/user.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import { alwaysAllow, alwaysDeny, firstOpinion, privilegedGroups, type Authorizer } from './authorizer.ts'
import { bindingResources, Rbac } from './rbac.ts'

/** The authorizers that the options name, in their order, behind the one that lets system:masters do everything. */
export async function newAuthorizer({ authorizationModes = ['Node', 'RBAC'] }: ApiServerOptions, registry: Registry): Promise<Authorizer> {
  const authorizers: Authorizer[] = [privilegedGroups([mastersGroup])]
  for (const mode of authorizationModes) {
    if (mode === 'AlwaysAllow') authorizers.push(alwaysAllow)
    else if (mode === 'AlwaysDeny') authorizers.push(alwaysDeny)
    else if (mode === 'RBAC') {
      const [cluster, namespaced] = bindingResources.map((resource) => registry.storageOfResource(resource)!.cache)
      authorizers.push(await Rbac.start(registry, cluster!, namespaced!))
    }
  }
  return firstOpinion(authorizers)
}
