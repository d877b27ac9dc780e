import type { KindTable } from '../../api/table.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Core } from '../verbs/core.ts'
import facts from '../generated/bootstrap-objects.json' with { type: 'json' }
import { ensureObject } from './ensure-object.ts'

/** Puts in what a cluster begins with, where it is missing. */
export async function bootstrap(_options: ApiServerOptions, core: Core, kinds: KindTable): Promise<void> {
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
  for (const [group, version, plural, objects] of wanted) {
    const kind = kinds.byResource(group, version, plural)
    if (!kind) continue
    await Promise.all(objects.map((object) => ensureObject(core, kind, object)))
  }
}
