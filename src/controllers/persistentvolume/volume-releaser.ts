import { isNotFound } from '../../api/errors/api-error.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../api/generated/resources.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'
import { provisionedByAnnotation, setVolumePhase, unbind } from './volume-binding.ts'

type Volume = Frozen<PersistentVolume>
type C = Context<PersistentVolume>

/** Says of each volume whether it is free, bound or left behind, and gives back what a claim left. */
export const volumeReleaser = defineController<PersistentVolume>({
  name: 'volumes',
  component: 'persistentvolume-controller',
  reconciles: persistentVolumes,
  watches: [
    watch(persistentVolumeClaims, (claim, { informers }) => [
      ...(claim.spec?.volumeName ? [claim.spec.volumeName] : []),
      ...informers
        .of(persistentVolumes)
        .list()
        .filter(({ spec }) => spec?.claimRef?.name === nameOf(claim) && spec.claimRef.namespace === namespaceOf(claim))
        .map(nameOf),
    ]),
  ],
  events: ['VolumeFailedDelete', 'VolumeFailedRecycle'],
  parallel: 5,
  reconcile,
})

async function reconcile(volume: Volume, c: C): Promise<Outcome> {
  const reference = volume.spec?.claimRef
  if (!reference?.uid) return phase(volume, 'Available', c)
  const claim = await claimOf(volume, c)
  if (!claim || uidOf(claim) !== reference.uid) return release(volume, c)
  if (!claim.spec?.volumeName) return done // the claim's turn
  if (claim.spec.volumeName === nameOf(volume)) return phase(volume, 'Bound', c)
  // The claim took another volume.
  if (
    annotationsOf(volume)[provisionedByAnnotation] !== undefined &&
    volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
  )
    return release(volume, c)
  c.wroteSelf(await unbind(c.client, volume))
  return done
}

/** The claim that the volume names; asked of the server itself before it counts as gone. */
async function claimOf(volume: Volume, c: C): Promise<Frozen<PersistentVolumeClaim> | undefined> {
  const reference = volume.spec?.claimRef
  const key = { namespace: reference?.namespace, name: reference?.name ?? '' }
  const cached = c.of(persistentVolumeClaims).get(key)
  if (cached && uidOf(cached) === reference?.uid) return cached
  if (volume.status?.phase === 'Released' || volume.status?.phase === 'Failed') return cached
  try {
    return await c.client.get(persistentVolumeClaims, key)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function phase(volume: Volume, next: string, c: C): Promise<Outcome> {
  const written = await setVolumePhase(c.client, volume, next, '')
  if (written !== volume) c.wroteSelf(written)
  return done
}

async function release(volume: Volume, c: C): Promise<Outcome> {
  const known = volume.status?.phase
  const released =
    known === 'Released' || known === 'Failed' ? volume : await setVolumePhase(c.client, volume, 'Released', '')
  if (released !== volume) c.wroteSelf(released)
  const policy = released.spec?.persistentVolumeReclaimPolicy ?? 'Retain'
  // The provisioner that made it deletes it, and the object with it.
  if (
    policy === 'Retain' ||
    isBeingDeleted(released) ||
    annotationsOf(released)[provisionedByAnnotation] !== undefined ||
    released.spec?.csi
  )
    return done
  if (known === 'Failed') return done
  const [reason, message] =
    policy === 'Delete'
      ? [
          'VolumeFailedDelete',
          `error getting deleter volume plugin for volume "${nameOf(volume)}": no deletable volume plugin matched`,
        ]
      : ['VolumeFailedRecycle', 'No recycler plugin found for the volume!']
  c.wroteSelf(await setVolumePhase(c.client, released, 'Failed', message))
  c.event(volume, 'Warning', reason, message)
  return done
}
