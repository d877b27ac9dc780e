/** What claims and volumes say of each other: which class both are of, and who is meant for whom. For the scheduler and the volume controller. */
import type { PersistentVolume, PersistentVolumeClaim } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'

type Claim = Frozen<PersistentVolumeClaim>
type Volume = Frozen<PersistentVolume>

/** Where claims and volumes had their class before they had a field for it. It still wins. */
export const oldClassAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** The storage class; '' for none. */
export const classOf = ({ metadata, spec }: Claim | Volume): string =>
  metadata.annotations?.[oldClassAnnotation] ?? spec?.storageClassName ?? ''

/** Whether the volume refers to this claim: by name only before it is bound, with its UID after. */
export function isVolumeFor({ spec }: Volume, { metadata }: Claim): boolean {
  const reference = spec?.claimRef
  return (
    reference !== undefined &&
    reference.name === metadata.name &&
    reference.namespace === metadata.namespace &&
    (!reference.uid || reference.uid === metadata.uid)
  )
}

/** Whether both are of the same mode: file systems or raw devices. */
export const sameVolumeMode = (volume: Volume, claim: Claim): boolean =>
  (claim.spec?.volumeMode ?? 'Filesystem') === (volume.spec?.volumeMode ?? 'Filesystem')

/** Whether both are of the same class of attributes. */
export const sameAttributesClass = (volume: Volume, claim: Claim): boolean =>
  (claim.spec?.volumeAttributesClassName ?? '') === (volume.spec?.volumeAttributesClassName ?? '')

/** Whether the volume can be used in all the ways that the claim asks for. */
export const offersAccessModes = (volume: Volume, claim: Claim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode))
