import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import { compareQuantities, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { selects } from '../../api/selector/label-selector.ts'

type Claim = Frozen<PersistentVolumeClaim>
type Volume = Frozen<PersistentVolume>

const oldClassAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** The storage class; '' for none. */
export const classOf = (object: Claim | Volume): string =>
  annotationsOf(object)[oldClassAnnotation] ?? object.spec?.storageClassName ?? ''

/** The claim says which class it wants, even if that is none. */
export const namesClass = (claim: Claim): boolean =>
  annotationsOf(claim)[oldClassAnnotation] !== undefined || claim.spec?.storageClassName !== undefined

/** The volume refers to this claim: by name only before it is bound, with its UID after. */
export function isFor(volume: Volume, claim: Claim): boolean {
  const reference = volume.spec?.claimRef
  return (
    reference !== undefined &&
    reference.name === nameOf(claim) &&
    reference.namespace === namespaceOf(claim) &&
    (!reference.uid || reference.uid === uidOf(claim))
  )
}

const requestOf = (claim: Claim) => parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0')
const capacityOf = (volume: Volume) => parseQuantity(volume.spec?.capacity?.['storage'] ?? '0')

/** Why the claim cannot have this volume; undefined when it can. */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0) return 'requested PV is too small'
  if (classOf(claim) !== classOf(volume)) return 'storageClassName does not match'
  if ((claim.spec?.volumeAttributesClassName ?? '') !== (volume.spec?.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match'
  if ((claim.spec?.volumeMode ?? 'Filesystem') !== (volume.spec?.volumeMode ?? 'Filesystem'))
    return 'incompatible volumeMode'
  if (!hasModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

const hasModes = (volume: Volume, claim: Claim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode))

/** The volume for a claim: one made for it, else the smallest of those that fit. `reserved`: only one made for it, since who binds it waits for its pod. */
export function bestVolume(claim: Claim, volumes: readonly Volume[], reserved: boolean): Volume | undefined {
  let best: Volume | undefined
  for (const volume of volumes) {
    if ((claim.spec?.volumeMode ?? 'Filesystem') !== (volume.spec?.volumeMode ?? 'Filesystem')) continue
    if (isFor(volume, claim)) {
      if (compareQuantities(capacityOf(volume), requestOf(claim)) >= 0 || volume.spec?.claimRef?.uid === uidOf(claim))
        return volume
      continue
    }
    if (reserved || volume.spec?.claimRef || volume.status?.phase !== 'Available' || isBeingDeleted(volume)) continue
    if (mismatch(volume, claim) !== undefined) continue
    if (claim.spec?.selector && !selects(claim.spec.selector, labelsOf(volume))) continue
    if (!best || compareQuantities(capacityOf(volume), capacityOf(best)) < 0) best = volume
  }
  return best
}
