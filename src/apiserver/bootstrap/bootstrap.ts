import type { KindTable } from '../../api/table.ts'
import facts from '../generated/bootstrap-objects.json' with { type: 'json' }
import type { ApiServerOptions } from '../options.ts'
import type { ClusterIps } from '../services/cluster-ips.ts'
import type { Core } from '../verbs/core.ts'
import { ensureAuthenticationConfig } from './authentication-config.ts'
import { ensureObject } from './ensure-object.ts'
import { reconcileRbac } from './reconcile-rbac.ts'
import { ensureKubernetesService, ensureServiceCidr } from './kubernetes-service.ts'
import { ensureTokenTracking } from './token-tracking.ts'

/** What bootstrapping works with. */
export interface Bootstrapping {
  readonly options: ApiServerOptions
  readonly core: Core
  readonly kinds: KindTable
  readonly ips: ClusterIps
  readonly serviceRanges: readonly string[]
}

/** Puts in what a cluster begins with, where it is missing, and completes default roles: namespaces, roles, priorities, the `kubernetes` Service. */
export async function bootstrap(parts: Bootstrapping): Promise<void> {
  const { core, kinds } = parts
  // Before missing ones are put in, which lack nothing.
  await reconcileRbac(core)
  const wanted = [
    ['', 'v1', 'namespaces', facts.namespaces],
    ['rbac.authorization.k8s.io', 'v1', 'clusterroles', facts.clusterroles],
    ['rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', facts.clusterrolebindings],
    ['rbac.authorization.k8s.io', 'v1', 'roles', facts.roles],
    ['rbac.authorization.k8s.io', 'v1', 'rolebindings', facts.rolebindings],
    ['scheduling.k8s.io', 'v1', 'priorityclasses', facts.priorityclasses],
    ['flowcontrol.apiserver.k8s.io', 'v1', 'prioritylevelconfigurations', facts.prioritylevelconfigurations],
    ['flowcontrol.apiserver.k8s.io', 'v1', 'flowschemas', facts.flowschemas],
    ['apiregistration.k8s.io', 'v1', 'apiservices', facts.apiservices],
  ] as const
  await Promise.all(
    wanted.flatMap(([group, version, plural, objects]) =>
      objects.map((object) => ensureObject(core, kinds.byResource(group, version, plural)!, object)),
    ),
  )
  await ensureAuthenticationConfig(parts)
  await ensureTokenTracking(parts)
  await ensureServiceCidr(parts)
  await ensureKubernetesService(parts)
}
