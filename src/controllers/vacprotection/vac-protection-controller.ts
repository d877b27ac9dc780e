import { persistentVolumeClaims, persistentVolumes, volumeAttributesClasses } from '../../api/generated/resources.ts'
import type { VolumeAttributesClass } from '../../api/generated/types/storage-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf } from '../../client/object.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'

const finalizer = 'kubernetes.io/vac-protection'

const classesOf = (...names: (string | undefined)[]): string[] =>
  names.filter((name) => name !== undefined && name !== '').map(String)

/** Keeps classes of volume attributes that claims or volumes have from going away. */
export const volumeAttributesClassProtectionController = defineController<VolumeAttributesClass>({
  name: 'volumeattributesclass-protection-controller',
  reconciles: volumeAttributesClasses,
  watches: [
    watch(persistentVolumeClaims, ({ spec, status }) =>
      classesOf(
        spec?.volumeAttributesClassName,
        status?.currentVolumeAttributesClassName,
        status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
      ),
    ),
    watch(persistentVolumes, ({ spec }) => classesOf(spec?.volumeAttributesClassName)),
  ],
  parallel: 1,
  reconcile,
})

async function reconcile(vac: Frozen<VolumeAttributesClass>, c: Context<VolumeAttributesClass>): Promise<Outcome> {
  const finalizers = vac.metadata.finalizers ?? []
  const guarded = finalizers.includes(finalizer)
  if (isBeingDeleted(vac) ? !guarded || isUsed(nameOf(vac), c) : guarded) return done
  const next = guarded ? finalizers.filter((name) => name !== finalizer) : [...finalizers, finalizer]
  c.wroteSelf(
    await c.client.update(volumeAttributesClasses, { ...vac, metadata: { ...vac.metadata, finalizers: next } }),
  )
  return done
}

function isUsed(name: string, c: Context<VolumeAttributesClass>): boolean {
  const byClaim = c
    .of(persistentVolumeClaims)
    .list()
    .some(({ spec, status }) =>
      [
        spec?.volumeAttributesClassName,
        status?.currentVolumeAttributesClassName,
        status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
      ].includes(name),
    )
  return (
    byClaim ||
    c
      .of(persistentVolumes)
      .list()
      .some(({ spec }) => spec?.volumeAttributesClassName === name)
  )
}
