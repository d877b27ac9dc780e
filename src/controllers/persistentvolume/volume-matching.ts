import {
  classOf,
  isVolumeFor,
  offersAccessModes,
  oldClassAnnotation,
  sameAttributesClass,
  sameVolumeMode,
} from '../../api/core/claim-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import { compareQuantities, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, labelsOf, uidOf } from '../../client/object.ts'
import { selects } from '../../api/selector/label-selector.ts'

type Claim = Frozen<PersistentVolumeClaim>
type Volume = Frozen<PersistentVolume>

/** The claim says which class it wants, even if that is none. */
export const namesClass = (claim: Claim): boolean =>
  annotationsOf(claim)[oldClassAnnotation] !== undefined || claim.spec?.storageClassName !== undefined

const requestOf = (claim: Claim) => parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0')
const capacityOf = (volume: Volume) => parseQuantity(volume.spec?.capacity?.['storage'] ?? '0')

/** Why the claim cannot have this volume; undefined when it can. */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0) return 'requested PV is too small'
  if (classOf(claim) !== classOf(volume)) return 'storageClassName does not match'
  if (!sameAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match'
  if (!sameVolumeMode(volume, claim)) return 'incompatible volumeMode'
  if (!offersAccessModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

/** The volume for a claim: one made for it, else the smallest of those that fit. `reserved`: only one made for it, since who binds it waits for its pod. */
export function bestVolume(claim: Claim, volumes: readonly Volume[], reserved: boolean): Volume | undefined {
  let best: Volume | undefined
  for (const volume of volumes) {
    if (!sameVolumeMode(volume, claim)) continue
    if (isVolumeFor(volume, claim)) {
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
