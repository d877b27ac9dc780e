import type { OwnerReference } from '../../api/generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { isBeingDeleted, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { same } from '../framework/equality.ts'

/** Finalizers by which clients choose what happens to dependents. */
export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

type Owner = Frozen<OwnerReference>

/** Where an object is said to be. */
export interface Coordinates {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** An object in the graph of who owns whom. Only the graph writes. */
export interface GraphNode {
  coordinates: Coordinates
  /** Undefined for a virtual node: known only by a reference to it, until the server says whether it exists. */
  resource: Resource | undefined
  owners: readonly Owner[]
  readonly dependents: Set<GraphNode>
  /** It has a deletion timestamp. */
  beingDeleted: boolean
  /** It waits, in foreground deletion, for its dependents to go. */
  deletingDependents: boolean
}

/** What the graph asks to be looked at. */
export interface GraphListener {
  /** Its owners or dependents changed in a way that may mean that it must go. */
  attemptToDelete(node: GraphNode): void
  /** It is being deleted, and its dependents shall stay. */
  attemptToOrphan(node: GraphNode): void
  /** The object of the owner's UID is not where, or what, the reference says. */
  misreferred(node: GraphNode, owner: Owner): void
}

/** How many absent owners are remembered, so that each is asked for once. */
const absentMax = 500

/**
 * Who owns whom, by UID. An owner that is referred to but was not seen gets a virtual node: it may only not have been heard of yet.
 *
 *     Deployment d ←── ReplicaSet r ←── Pod p        d.dependents = {r}, r.dependents = {p}
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #listener: GraphListener
  /** UIDs with coordinates of owners that do not exist. Never again: UIDs are not reused. */
  readonly #absent = new Set<string>()

  constructor(listener: GraphListener) {
    this.#listener = listener
  }

  get size(): number {
    return this.#nodes.size
  }

  node(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  isAbsent(owner: Owner, namespace: string): boolean {
    return this.#absent.has(absentKey(owner, namespace)) || this.#absent.has(absentKey(owner, ''))
  }

  noteAbsent(owner: Owner, namespace: string): void {
    this.#absent.add(absentKey(owner, namespace))
    const [oldest] = this.#absent
    if (this.#absent.size > absentMax && oldest !== undefined) this.#absent.delete(oldest)
  }

  /** The object was seen, or seen to have changed. */
  put(resource: Resource, object: Frozen<KubernetesObject>, apiVersion: string): void {
    const uid = uidOf(object)
    const coordinates = { apiVersion, kind: resource.kind, namespace: namespaceOf(object), name: nameOf(object), uid }
    const owners = object.metadata?.ownerReferences ?? []
    const known = this.#nodes.get(uid)
    const node = known ?? {
      coordinates,
      resource,
      owners: [],
      dependents: new Set<GraphNode>(),
      beingDeleted: false,
      deletingDependents: false,
    }
    if (!known) this.#nodes.set(uid, node)
    const before = node.owners
    // References may have said where it is, and been wrong: those who did look again.
    const misplaced = known !== undefined && known.resource === undefined && !same(known.coordinates, coordinates)
    node.coordinates = coordinates
    node.resource = resource
    node.owners = owners
    this.#relink(node, before, owners)
    if (misplaced) for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent)
    this.#noteDeletion(node, object)
  }

  /** The object is gone. */
  remove(uid: string): void {
    const node = this.#nodes.get(uid)
    if (!node) return
    this.#nodes.delete(uid)
    for (const { uid: owner } of node.owners) {
      const ownerNode = this.#nodes.get(owner)
      ownerNode?.dependents.delete(node)
      // An owner may have waited for just this one.
      if (ownerNode?.deletingDependents) this.#listener.attemptToDelete(ownerNode)
    }
    if (node.dependents.size > 0) this.noteAbsent(node.coordinates, node.coordinates.namespace)
    for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent)
  }

  #relink(node: GraphNode, before: readonly Owner[], after: readonly Owner[]): void {
    if (before === after || same(before, after)) return
    const kept = new Set(after.map(({ uid }) => uid))
    for (const owner of before) {
      if (kept.has(owner.uid)) continue
      const ownerNode = this.#nodes.get(owner.uid)
      ownerNode?.dependents.delete(node)
    }
    for (const owner of after) this.#link(node, owner)
    this.#wakeUnblocked(before, after)
  }

  #link(node: GraphNode, owner: Owner): void {
    const known = this.#nodes.get(owner.uid)
    if (known) {
      known.dependents.add(node)
      // A reference to something else than the one of that UID is of no owner at all.
      if (known.resource && isMisreferred(known.coordinates, owner, node.coordinates.namespace)) {
        this.#listener.misreferred(node, owner)
        this.#listener.attemptToDelete(node)
      }
      return
    }
    const virtual: GraphNode = {
      coordinates: {
        apiVersion: owner.apiVersion,
        kind: owner.kind,
        namespace: node.coordinates.namespace,
        name: owner.name,
        uid: owner.uid,
      },
      resource: undefined,
      owners: [],
      dependents: new Set([node]),
      beingDeleted: false,
      deletingDependents: false,
    }
    this.#nodes.set(owner.uid, virtual)
    this.#listener.attemptToDelete(virtual)
  }

  /** Owners that this object blocked and blocks no longer. */
  #wakeUnblocked(before: readonly Owner[], after: readonly Owner[]): void {
    for (const old of before) {
      if (!old.blockOwnerDeletion) continue
      const now = after.find(({ uid }) => uid === old.uid)
      if (now?.blockOwnerDeletion) continue
      const owner = this.#nodes.get(old.uid)
      if (owner?.deletingDependents) this.#listener.attemptToDelete(owner)
    }
  }

  #noteDeletion(node: GraphNode, object: Frozen<KubernetesObject>): void {
    if (!isBeingDeleted(object)) return
    const finalizers = object.metadata?.finalizers ?? []
    node.beingDeleted = true
    if (finalizers.includes(orphanFinalizer)) this.#listener.attemptToOrphan(node)
    if (finalizers.includes(foregroundFinalizer) && !node.deletingDependents) {
      node.deletingDependents = true
      for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent)
      this.#listener.attemptToDelete(node)
    }
  }
}

const isMisreferred = (owner: Coordinates, reference: Owner, namespace: string): boolean =>
  owner.kind !== reference.kind ||
  owner.name !== reference.name ||
  (owner.namespace !== '' && owner.namespace !== namespace)

const absentKey = (
  { apiVersion, kind, name, uid }: Pick<Owner, 'apiVersion' | 'kind' | 'name' | 'uid'>,
  namespace: string,
): string => [uid, apiVersion, kind, namespace, name].join('\0')
