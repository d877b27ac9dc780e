import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../../api/generated/resources.ts'
import type { ClusterRoleBinding, PolicyRule, Role, Subject } from '../../api/generated/types/rbac-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { uncovered } from '../authz/rules.ts'
import facts from '../generated/bootstrap-objects.json' with { type: 'json' }
import type { Draft } from '../registry/resource-storage.ts'
import type { Core } from '../verbs/core.ts'

/** Whoever wants a default role as it is says so with this annotation: 'false'. */
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate'

/** Gives default roles and bindings of an earlier version, or narrowed ones, back what they lack: components act with these rights and no others. What was added to them stays, as in upstream. */
export async function reconcileRbac(core: Core): Promise<void> {
  const wanted: readonly (readonly [
    Resource,
    readonly object[],
    (object: Frozen<KubernetesObject>, wanted: object) => Draft | undefined,
  ])[] = [
    [clusterRoles, facts.clusterroles, withRules],
    [roles, facts.roles, withRules],
    [clusterRoleBindings, facts.clusterrolebindings, withSubjects],
    [roleBindings, facts.rolebindings, withSubjects],
  ]
  for (const [resource, objects, completed] of wanted) {
    const storage = core.registry.storageOfResource(resource)!
    for (const object of objects) {
      const { namespace = '', name = '' } = (object as KubernetesObject).metadata ?? {}
      await storage.change(storage.keyOf(namespace, name), (current) => {
        const known = current?.object
        const draft =
          known && known.metadata?.annotations?.[autoUpdate] !== 'false' ? completed(known, object) : undefined
        return draft ? { action: 'write', draft } : { action: 'keep' }
      })
    }
  }
}

function withRules(object: Frozen<KubernetesObject>, wanted: object): Draft | undefined {
  const { rules } = object as Frozen<Role>
  const missing = uncovered(rules ?? [], (wanted as Role).rules ?? [])
  return missing.length > 0
    ? ({
        ...object,
        metadata: { ...object.metadata },
        rules: [...(rules ?? []), ...joined(missing)],
      } as unknown as Draft)
    : undefined
}

/** Rules of one verb each, with the verbs of the same things together. */
function joined(rules: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>()
  for (const { verbs, ...target } of rules) {
    const key = JSON.stringify(target)
    byTarget.set(key, { ...target, verbs: [...(byTarget.get(key)?.verbs ?? []), ...verbs] })
  }
  return [...byTarget.values()]
}

function withSubjects(object: Frozen<KubernetesObject>, wanted: object): Draft | undefined {
  const { subjects } = object as Frozen<ClusterRoleBinding>
  const keyOf = ({ kind, name, namespace = '' }: Frozen<Subject>) => `${kind} ${namespace}/${name}`
  const known = new Set(subjects?.map(keyOf))
  const missing = ((wanted as ClusterRoleBinding).subjects ?? []).filter((subject) => !known.has(keyOf(subject)))
  return missing.length > 0
    ? ({ ...object, metadata: { ...object.metadata }, subjects: [...(subjects ?? []), ...missing] } as unknown as Draft)
    : undefined
}
