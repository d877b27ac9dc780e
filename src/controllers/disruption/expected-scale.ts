import { isNotFound } from '../../api/errors/api-error.ts'
import { replicaSets, replicationControllers, deployments, statefulSets } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { OwnerReference } from '../../api/generated/types/meta-v1.ts'
import type { PodDisruptionBudget } from '../../api/generated/types/policy-v1.ts'
import type { Frozen, Resource } from '../../api/resource.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { discover } from '../../client/discovery.ts'
import { controllerOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import type { Context } from '../framework/controller.ts'

type C = Context<PodDisruptionBudget>

/** How many pods those who manage these want in all, and the pods that nobody manages. */
export async function expectedScale(
  pods: readonly Frozen<Pod>[],
  c: C,
): Promise<{ expected: number; unmanaged: readonly string[] }> {
  const scales = new Map<string, number>()
  const unmanaged: string[] = []
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) {
      unmanaged.push(nameOf(pod))
      continue
    }
    if (scales.has(owner.uid)) continue
    const found = await scaleOf(owner, namespaceOf(pod), c)
    if (!found) throw new Error(`found no controllers for pod "${nameOf(pod)}"`)
    scales.set(found.uid, found.replicas)
    // Pods of all ReplicaSets of one Deployment count once.
    if (found.uid !== owner.uid) scales.set(owner.uid, 0)
  }
  return { expected: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
}

interface Found {
  readonly uid: string
  readonly replicas: number
}

async function scaleOf(owner: Frozen<OwnerReference>, namespace: string, c: C): Promise<Found | undefined> {
  const key = { namespace, name: owner.name }
  const isOf = (resource: { group: string; version: string; kind: string }) =>
    owner.kind === resource.kind && owner.apiVersion.split('/').at(-2) === (resource.group || undefined)
  if (isOf(replicaSets)) {
    const rs = c.of(replicaSets).get(key)
    if (!rs || uidOf(rs) !== owner.uid) return undefined
    const above = controllerOf(rs)
    const deployment = above?.kind === 'Deployment' ? c.of(deployments).get({ namespace, name: above.name }) : undefined
    if (deployment && uidOf(deployment) === above?.uid)
      return { uid: uidOf(deployment), replicas: deployment.spec?.replicas ?? 1 }
    return { uid: owner.uid, replicas: rs.spec?.replicas ?? 1 }
  }
  if (isOf(statefulSets)) {
    const set = c.of(statefulSets).get(key)
    return set && uidOf(set) === owner.uid ? { uid: owner.uid, replicas: set.spec?.replicas ?? 1 } : undefined
  }
  if (isOf(replicationControllers)) {
    const rc = c.of(replicationControllers).get(key)
    return rc && uidOf(rc) === owner.uid ? { uid: owner.uid, replicas: rc.spec?.replicas ?? 1 } : undefined
  }
  return customScale(owner, namespace, c)
}

/** Anything else tells by its scale subresource, if it has one. */
async function customScale(owner: Frozen<OwnerReference>, namespace: string, c: C): Promise<Found | undefined> {
  const { resources } = await discover(c.client)
  const resource = resources.find((each) => each.kind === owner.kind && apiVersionOf(each) === owner.apiVersion)
  if (!resource) return undefined
  try {
    const scale = await c.client.getSubresource<{ metadata?: { uid?: string }; spec?: { replicas?: number } }>(
      resource,
      { namespace, name: owner.name },
      'scale',
    )
    return scale.metadata?.uid === owner.uid ? { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 } : undefined
  } catch (error) {
    if (!isNotFound(error)) throw error
    // Either the owner is gone, or nothing of its kind has a scale: Jobs and DaemonSets for two.
    if (await hasScale(resource, c)) return undefined
    const name = resource.group ? `${resource.plural}.${resource.group}` : resource.plural
    throw new Error(`${name} does not implement the scale subresource`, { cause: error })
  }
}

async function hasScale(resource: Resource, c: C): Promise<boolean> {
  const path = `/${resource.group ? 'apis' : 'api'}/${apiVersionOf(resource)}`
  const { resources = [] } = await c.client.send<{ resources?: { name: string }[] }>({ method: 'GET', path })
  return resources.some(({ name }) => name === `${resource.plural}/scale`)
}
