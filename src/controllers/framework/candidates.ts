import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Informer } from '../../client/informer/informers.ts'
import { controllerOf, isControlledBy, namespaceOf, uidOf } from '../../client/object.ts'

/** Objects without a controller, by namespace: whoever selects them adopts them. */
const orphanIndex = 'orphans'

/** What an owner may claim: what it manages already, and what nobody in its namespace does. */
export function candidatesOf<D extends KubernetesObject>(
  informer: Informer<D>,
  owner: Frozen<KubernetesObject>,
): Frozen<D>[] {
  informer.index(orphanIndex, (object) => (controllerOf(object) ? [] : [namespaceOf(object)]))
  return [...ownOf(informer, owner), ...informer.by(orphanIndex, namespaceOf(owner))]
}

/** What an owner manages. */
export const ownOf = <D extends KubernetesObject>(
  informer: Informer<D>,
  owner: Frozen<KubernetesObject>,
): Frozen<D>[] =>
  informer
    .ownedBy(uidOf(owner))
    .filter((object) => isControlledBy(object, owner) && namespaceOf(object) === namespaceOf(owner))
