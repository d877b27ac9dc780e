import type { PersistentVolumeClaim, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { SchedulerListers } from '../listers.ts'

/** A claim that a Pod's volume names, or that is made for the Pod. */
export interface ClaimUse {
  readonly name: string
  /** Made for this Pod (a generic ephemeral volume) and so owned by it. */
  readonly ephemeral: boolean
}

/** The claims that a Pod's volumes use. */
export function claimsUsedBy({ spec, metadata }: Frozen<Pod>): readonly ClaimUse[] {
  const uses: ClaimUse[] = []
  for (const { name, persistentVolumeClaim, ephemeral } of spec?.volumes ?? []) {
    if (persistentVolumeClaim) uses.push({ name: persistentVolumeClaim.claimName, ephemeral: false })
    else if (ephemeral) uses.push({ name: `${metadata.name}-${name}`, ephemeral: true })
  }
  return uses
}

/** A claim a Pod uses, or why the Pod cannot be scheduled with it. */
export function claimOf(
  pod: Frozen<Pod>,
  { name, ephemeral }: ClaimUse,
  listers: SchedulerListers,
): { claim: Frozen<PersistentVolumeClaim>; why?: undefined } | { claim?: undefined; why: string } {
  const { namespace, name: podName, uid } = pod.metadata
  const claim = listers.persistentVolumeClaims.get({ namespace, name })
  if (!claim)
    return {
      why: ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`,
    }
  if (claim.status?.phase === 'Lost')
    return {
      why: `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`,
    }
  if (claim.metadata.deletionTimestamp) return { why: `persistentvolumeclaim "${name}" is being deleted` }
  if (ephemeral && !claim.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid)) {
    return { why: `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)` }
  }
  return { claim }
}

/** Binding is complete: the claim has its volume, and the volume its claim. */
export const isFullyBound = ({ spec, metadata }: Frozen<PersistentVolumeClaim>): boolean =>
  !!spec?.volumeName && metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined
