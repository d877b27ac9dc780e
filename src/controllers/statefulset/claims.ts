import { isAlreadyExists } from '../../api/errors/api-error.ts'
import { persistentVolumeClaims, pods, statefulSets } from '../../api/generated/resources.ts'
import type { StatefulSet } from '../../api/generated/types/apps-v1.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types/core-v1.ts'
import type { OwnerReference } from '../../api/generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { controllerOf, controllerReference, isBeingDeleted, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { messageOf } from '../framework/context.ts'
import type { Context } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { claimsOf, isWanted, ordinalOf } from './stateful-pod.ts'

type Set = Frozen<StatefulSet>
type Claim = Frozen<PersistentVolumeClaim>
type C = Context<StatefulSet>

/** Makes the claims of a pod that are missing. One that is being deleted holds the pod up. */
export async function createClaims(set: Set, ordinal: number, c: C): Promise<void> {
  for (const claim of claimsOf(set, ordinal).values()) {
    const there = c.of(persistentVolumeClaims).get({ namespace: namespaceOf(claim), name: nameOf(claim) })
    if (there && isBeingDeleted(there)) throw new Error(`pvc ${nameOf(claim)} is being deleted`)
    if (there) continue
    const text = `Create Claim ${nameOf(claim)}`
    try {
      c.wrote(set, persistentVolumeClaims, await c.client.create(persistentVolumeClaims, claim))
      c.event(
        set,
        'Normal',
        'SuccessfulCreate',
        `${text} Pod ${nameOf(set)}-${ordinal} in StatefulSet ${nameOf(set)} success`,
      )
    } catch (error) {
      if (isAlreadyExists(error)) continue
      c.event(
        set,
        'Warning',
        'FailedCreate',
        `${text} for Pod ${nameOf(set)}-${ordinal} in StatefulSet ${nameOf(set)} failed error: ${messageOf(error)}`,
      )
      throw error
    }
  }
}

/** A claim of the pod still belongs to an earlier pod of its name, and will go with it. */
export function hasStaleClaim(set: Set, ordinal: number, pod: Frozen<Pod> | undefined, c: C): boolean {
  if ((set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled ?? 'Retain') === 'Retain') return false
  return existingClaims(set, ordinal, c).some((claim) =>
    refersToOther(claim, pods, `${nameOf(set)}-${ordinal}`, pod ? uidOf(pod) : ''),
  )
}

/** Sets who owns the pod's claims, so that they go, or stay, as the set's retention policy says. */
export async function syncClaimOwners(set: Set, pod: Frozen<Pod>, c: C): Promise<void> {
  for (const claim of existingClaims(set, ordinalOf(set, pod), c)) {
    const owners = ownersFor(set, pod, claim)
    if (!owners || same(owners, claim.metadata.ownerReferences)) continue
    c.wrote(
      set,
      persistentVolumeClaims,
      await c.client.update(persistentVolumeClaims, {
        ...claim,
        metadata: { ...claim.metadata, ownerReferences: owners },
      }),
    )
  }
}

/** Tells of claims of the pod that somebody else manages: the set's retention policy does nothing for them. */
export function tellConflicts(set: Set, pod: Frozen<Pod>, c: C): void {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {}
  if (whenDeleted === 'Retain' && whenScaled === 'Retain') return
  for (const claim of existingClaims(set, ordinalOf(set, pod), c)) {
    const manager = controllerOf(claim)
    if (!manager || manager.uid === uidOf(set) || manager.uid === uidOf(pod)) continue
    c.event(
      set,
      'Warning',
      'ConflictingController',
      `PersistentVolumeClaim ${nameOf(claim)} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`,
    )
  }
}

/** The owners that a claim should have; undefined when it is to be left alone. */
export function ownersFor(set: Set, pod: Frozen<Pod>, claim: Claim): readonly Frozen<OwnerReference>[] | undefined {
  const references = claim.metadata.ownerReferences ?? []
  // Of an earlier set or pod: it will be collected with it.
  if (
    refersToOther(claim, statefulSets, nameOf(set), uidOf(set)) ||
    refersToOther(claim, pods, nameOf(pod), uidOf(pod))
  )
    return undefined
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {}
  const others = references.filter(({ uid }) => uid !== uidOf(set) && uid !== uidOf(pod))
  const retained = whenDeleted === 'Retain' && whenScaled === 'Retain'
  if (retained || others.some(({ controller }) => controller))
    return others.length === references.length ? undefined : others
  const scaledDown = !isWanted(set, ordinalOf(set, pod))
  if (whenScaled === 'Delete' && scaledDown) return [...others, controllerReference(pods, pod)]
  return whenDeleted === 'Delete' ? [...others, controllerReference(statefulSets, set)] : others
}

function existingClaims(set: Set, ordinal: number, c: C): Claim[] {
  return [...claimsOf(set, ordinal).values()].flatMap(
    (claim) => c.of(persistentVolumeClaims).get({ namespace: namespaceOf(claim), name: nameOf(claim) }) ?? [],
  )
}

const refersToOther = (
  claim: Claim,
  resource: Resource<never> | Resource<KubernetesObject>,
  name: string,
  uid: string,
): boolean =>
  (claim.metadata.ownerReferences ?? []).some(
    (owner) =>
      owner.kind === resource.kind &&
      owner.apiVersion === apiVersionOf(resource) &&
      owner.name === name &&
      owner.uid !== uid,
  )
