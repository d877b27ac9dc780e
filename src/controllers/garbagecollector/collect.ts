import { isNotFound } from '../../api/errors/api-error.ts'
import type { ObjectMeta, OwnerReference } from '../../api/generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'
import { foregroundFinalizer, orphanFinalizer, type GraphNode, type OwnerGraph } from './graph.ts'

type Owner = Frozen<OwnerReference>
type Metadata = Frozen<ObjectMeta>

/** What collecting works with. */
export interface Collecting {
  readonly client: Client
  readonly graph: OwnerGraph
  /** The resource of a kind; undefined when the server has none (yet). */
  readonly resourceOf: (apiVersion: string, kind: string) => Resource | undefined
  readonly attemptToDelete: (node: GraphNode) => void
}

/** The object of a node, as the server has it now: what is written holds for exactly this version. */
interface Live {
  readonly node: GraphNode
  readonly resource: Resource
  readonly metadata: Metadata
}

/** The kind of an owner is not known; it may be soon. */
export class UnknownKindError extends Error {
  override name = 'UnknownKindError'
}

/** Deletes the object if none of its owners is left; goes on with its own foreground deletion. */
export async function attemptToDelete(node: GraphNode, c: Collecting): Promise<void> {
  // It goes already, and waits for nobody.
  if (node.beingDeleted && !node.deletingDependents) return
  const resource = node.resource ?? resolve(node.coordinates.apiVersion, node.coordinates.kind, c)
  const live = await liveOf(node, resource, c)
  if (!live) return c.graph.remove(node.coordinates.uid)
  if (node.deletingDependents) return continueForeground(live, c)

  const owners = live.metadata.ownerReferences ?? []
  if (owners.length === 0) return
  const { solid, dangling, waiting } = await classify(node, owners, c)
  if (solid.length > 0) {
    const gone = new Set([...dangling, ...waiting].map(({ uid }) => uid))
    if (gone.size > 0)
      await setOwners(
        live,
        owners.filter(({ uid }) => !gone.has(uid)),
        c,
      )
    return
  }
  if (waiting.length > 0 && node.dependents.size > 0) {
    // Its owner waits for it, and it must wait for its own dependents. Where one of those waits already there may be a circle: nobody blocks then.
    const circular = [...node.dependents].some(({ deletingDependents }) => deletingDependents)
    const latest = circular
      ? await setOwners(
          live,
          owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
          c,
        )
      : live
    return remove(latest, 'Foreground', c)
  }
  return remove(live, policyOf(live.metadata), c)
}

/** A deletion that was asked for in another way goes on in that way. */
function policyOf({ finalizers = [] }: Metadata): 'Orphan' | 'Foreground' | 'Background' {
  if (finalizers.includes(orphanFinalizer)) return 'Orphan'
  return finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
}

interface Owners {
  readonly solid: Owner[]
  /** Do not exist. */
  readonly dangling: Owner[]
  /** Are being deleted, and wait for this object to go first. */
  readonly waiting: Owner[]
}

async function classify(node: GraphNode, owners: readonly Owner[], c: Collecting): Promise<Owners> {
  const found: Owners = { solid: [], dangling: [], waiting: [] }
  for (const owner of owners) {
    const state = await stateOf(node, owner, c)
    found[state].push(owner)
  }
  return found
}

async function stateOf(node: GraphNode, owner: Owner, c: Collecting): Promise<keyof Owners> {
  const { namespace } = node.coordinates
  if (c.graph.isAbsent(owner, namespace)) return 'dangling'
  const ownerResource = resolve(owner.apiVersion, owner.kind, c)
  const metadata = await metadataAt(ownerResource, ownerResource.namespaced ? namespace : undefined, owner.name, c)
  if (!metadata || metadata.uid !== owner.uid) {
    c.graph.noteAbsent(owner, ownerResource.namespaced ? namespace : '')
    return 'dangling'
  }
  return metadata.deletionTimestamp && (metadata.finalizers ?? []).includes(foregroundFinalizer) ? 'waiting' : 'solid'
}

/** A reference that can never be right; the object is left alone. */
export class ScopeError extends Error {
  override name = 'ScopeError'
}

/** Lets the object go when nobody blocks it any more; else sees to it that those who do go. */
async function continueForeground(live: Live, c: Collecting): Promise<void> {
  const { node } = live
  const blocking = [...node.dependents].filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === node.coordinates.uid && blockOwnerDeletion),
  )
  if (blocking.length === 0) return dropFinalizer(live, foregroundFinalizer, c)
  for (const dependent of blocking) if (!dependent.deletingDependents) c.attemptToDelete(dependent)
}

/** Takes the owner off its dependents, then lets it go. */
export async function orphanDependents(node: GraphNode, c: Collecting): Promise<void> {
  const resource = node.resource
  if (!resource) return
  const { uid } = node.coordinates
  await Promise.all(
    [...node.dependents].map(async (dependent) => {
      if (!dependent.resource) return
      const live = await liveOf(dependent, dependent.resource, c)
      const owners = live?.metadata.ownerReferences ?? []
      if (live && owners.some((owner) => owner.uid === uid))
        await setOwners(
          live,
          owners.filter((owner) => owner.uid !== uid),
          c,
        )
    }),
  )
  const live = await liveOf(node, resource, c)
  if (live) await dropFinalizer(live, orphanFinalizer, c)
}

async function remove(
  { node, resource, metadata }: Live,
  propagationPolicy: 'Orphan' | 'Foreground' | 'Background',
  c: Collecting,
): Promise<void> {
  const { uid, resourceVersion } = metadata
  try {
    // With the version: its owners must still be those that were looked at.
    await c.client.delete(resource, keyOf(node, resource), {
      propagationPolicy,
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
    })
  } catch (error) {
    if (isNotFound(error)) return c.graph.remove(node.coordinates.uid)
    throw error
  }
}

async function dropFinalizer(live: Live, finalizer: string, c: Collecting): Promise<void> {
  const finalizers = live.metadata.finalizers ?? []
  if (!finalizers.includes(finalizer)) return
  await patch(live, { finalizers: finalizers.filter((name) => name !== finalizer) }, c)
}

async function setOwners(live: Live, owners: readonly Owner[], c: Collecting): Promise<Live> {
  return { ...live, metadata: (await patch(live, { ownerReferences: owners }, c)) ?? live.metadata }
}

/** Changes metadata of exactly the version that was looked at. */
async function patch(
  { node, resource, metadata }: Live,
  change: Frozen<Partial<ObjectMeta>>,
  c: Collecting,
): Promise<Metadata | undefined> {
  const { uid, resourceVersion } = metadata
  try {
    return (
      await c.client.patch(
        resource,
        keyOf(node, resource),
        { metadata: { uid, resourceVersion, ...change } },
        { type: 'merge' },
      )
    ).metadata
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function resolve(apiVersion: string, kind: string, c: Collecting): Resource {
  const resource = c.resourceOf(apiVersion, kind)
  if (!resource) throw new UnknownKindError(`unable to get REST mapping for ${apiVersion}/${kind}`)
  return resource
}

const keyOf = ({ coordinates: { namespace, name } }: GraphNode, { namespaced }: Resource) => ({
  name,
  ...(namespaced && namespace && { namespace }),
})

/** Undefined when the object is gone, its name taken by another one perhaps. */
async function liveOf(node: GraphNode, resource: Resource, c: Collecting): Promise<Live | undefined> {
  const { uid, name, namespace } = node.coordinates
  const metadata = await metadataAt(resource, resource.namespaced ? namespace : undefined, name, c)
  return metadata?.uid === uid ? { node, resource, metadata } : undefined
}

async function metadataAt(
  resource: Resource,
  namespace: string | undefined,
  name: string,
  c: Collecting,
): Promise<Metadata | undefined> {
  if (resource.namespaced && !namespace)
    throw new ScopeError(`a cluster-scoped object refers to the namespaced owner ${resource.kind} ${name}`)
  try {
    const object: Frozen<KubernetesObject> = await c.client.get(resource, { name, ...(namespace && { namespace }) })
    return object.metadata
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
