import { persistentVolumes } from '../../api/generated/resources.ts'
import type { PersistentVolume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted } from '../../client/object.ts'
import { defineController, done, type Context, type Outcome } from '../framework/controller.ts'

const finalizer = 'kubernetes.io/pv-protection'

/** Keeps volumes that are bound from going away. */
export const persistentVolumeProtectionController = defineController<PersistentVolume>({
  name: 'persistentvolume-protection-controller',
  reconciles: persistentVolumes,
  parallel: 5,
  reconcile,
})

async function reconcile(volume: Frozen<PersistentVolume>, c: Context<PersistentVolume>): Promise<Outcome> {
  const finalizers = volume.metadata.finalizers ?? []
  const protectedNow = finalizers.includes(finalizer)
  if (isBeingDeleted(volume) ? !protectedNow || volume.status?.phase === 'Bound' : protectedNow) return done
  const next = protectedNow ? finalizers.filter((name) => name !== finalizer) : [...finalizers, finalizer]
  c.wroteSelf(
    await c.client.update(persistentVolumes, { ...volume, metadata: { ...volume.metadata, finalizers: next } }),
  )
  return done
}
