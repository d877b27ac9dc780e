import {
  classOf,
  isVolumeFor,
  offersAccessModes,
  sameAttributesClass,
  sameVolumeMode,
} from '../../api/core/claim-binding.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import { amountOf } from '../cache/resources.ts'
import { matcherOf } from '../../api/selector/label.ts'
import { matchesNodeSelector } from '../../api/selector/node.ts'
import type { Frozen } from '../../api/resource.ts'

type Claim = Frozen<PersistentVolumeClaim>
type Volume = Frozen<PersistentVolume>

/** Whether a volume can be reached from a node. */
export function reaches({ spec }: Volume, node: Frozen<Node>): boolean {
  const required = spec?.nodeAffinity?.required
  return required === undefined || matchesNodeSelector(required, node)
}

/** What a claim asks for, in bytes. */
export const requestedBytes = ({ spec }: Claim): number =>
  amountOf('storage', spec?.resources?.requests?.['storage'] ?? '0')
const capacityBytes = ({ spec }: Volume): number => amountOf('storage', spec?.capacity?.['storage'] ?? '0')

/** The volume for a claim on a node: the one that was set aside for it, else the smallest that will do. */
export function volumeFor(
  claim: Claim,
  volumes: readonly Volume[],
  node: Frozen<Node>,
  taken: ReadonlySet<string>,
): Volume | undefined {
  let smallest: Volume | undefined
  for (const volume of volumes) {
    if (taken.has(volume.metadata.name ?? '') || !couldHold(volume, claim)) continue
    if (isVolumeFor(volume, claim)) return reaches(volume, node) ? volume : undefined
    if (volume.spec?.claimRef || volume.status?.phase !== 'Available' || classOf(volume) !== classOf(claim)) continue
    if (claim.spec?.selector && !matcherOf(claim.spec.selector).matches(volume.metadata.labels)) continue
    if (!offersAccessModes(volume, claim) || !reaches(volume, node)) continue
    if (!smallest || capacityBytes(volume) < capacityBytes(smallest)) smallest = volume
  }
  return smallest
}

function couldHold(volume: Volume, claim: Claim): boolean {
  return (
    !volume.metadata.deletionTimestamp &&
    capacityBytes(volume) >= requestedBytes(claim) &&
    sameVolumeMode(volume, claim) &&
    sameAttributesClass(volume, claim)
  )
}
