import { isInvalid, isNotFound } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'
import { controllerOf, controllerReference, isBeingDeleted, nameOf, uidOf } from '../../client/object.ts'

/** Who claims what. */
export interface ClaimOptions<O extends KubernetesObject, D extends KubernetesObject> {
  readonly client: Client
  readonly ownerResource: Resource<O>
  readonly owner: Frozen<O>
  readonly resource: Resource<D>
  /** Of the owner's namespace: those that it manages, and orphans. */
  readonly candidates: readonly Frozen<D>[]
  readonly matches: (object: Frozen<D>) => boolean
  /** Put on what is adopted, with the owner. */
  readonly finalizer?: string | undefined
}

/**
 * The candidates that `owner` manages after this: orphans that match are adopted, its own that no longer match are released.
 * An owner that is being deleted does neither.
 */
export async function claim<O extends KubernetesObject, D extends KubernetesObject>(
  options: ClaimOptions<O, D>,
): Promise<Frozen<D>[]> {
  const { owner, candidates, matches } = options
  const claimed: Frozen<D>[] = []
  const mayAdopt = adoptionCheck(options)
  for (const object of candidates) {
    const controller = controllerOf(object)
    if (controller) {
      if (controller.uid !== uidOf(owner)) continue
      if (matches(object)) claimed.push(object)
      else if (!isBeingDeleted(owner)) await release(options, object)
      continue
    }
    if (isBeingDeleted(owner) || isBeingDeleted(object) || !matches(object)) continue
    await mayAdopt()
    const adopted = await adopt(options, object)
    if (adopted) claimed.push(adopted)
  }
  return claimed
}

/** Asked once, and of the server itself: an owner that was deleted meanwhile must not adopt. */
function adoptionCheck<O extends KubernetesObject, D extends KubernetesObject>({
  client,
  ownerResource,
  owner,
}: ClaimOptions<O, D>): () => Promise<void> {
  let asked: Promise<void> | undefined
  const ask = async () => {
    const fresh = await client.get(ownerResource, keyOf(owner))
    if (uidOf(fresh) !== uidOf(owner))
      throw new Error(
        `original ${ownerResource.kind} ${nameOf(owner)} is gone: got uid ${uidOf(fresh)}, wanted ${uidOf(owner)}`,
      )
    if (isBeingDeleted(fresh))
      throw new Error(`${nameOf(owner)} has just been deleted at ${fresh.metadata?.deletionTimestamp}`)
  }
  return () => (asked ??= ask())
}

async function adopt<O extends KubernetesObject, D extends KubernetesObject>(
  { client, ownerResource, owner, resource, finalizer }: ClaimOptions<O, D>,
  object: Frozen<D>,
): Promise<Frozen<D> | undefined> {
  const ownerReferences = [controllerReference(ownerResource, owner)]
  const patch = { metadata: { uid: uidOf(object), ownerReferences, ...(finalizer && { finalizers: [finalizer] }) } }
  try {
    return await client.patch(resource, keyOf(object), patch, { type: 'strategic' })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function release<O extends KubernetesObject, D extends KubernetesObject>(
  { client, owner, resource }: ClaimOptions<O, D>,
  object: Frozen<D>,
): Promise<void> {
  const patch = { metadata: { uid: uidOf(object), ownerReferences: [{ $patch: 'delete', uid: uidOf(owner) }] } }
  try {
    await client.patch(resource, keyOf(object), patch, { type: 'strategic' })
  } catch (error) {
    // Gone, or has no owner any more, or is another object of that name by now.
    if (!isNotFound(error) && !isInvalid(error)) throw error
  }
}
