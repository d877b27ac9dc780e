import type { StorageClass } from '../generated/types/storage-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

/** What `kubectl get storageclasses` shows. */
export function storageClassRow(storageClass: Frozen<StorageClass>, nowMs: number): Cell[] {
  const isDefault = defaultAnnotations.some((annotation) => storageClass.metadata?.annotations?.[annotation] === 'true')
  return [
    `${name(storageClass)}${isDefault ? ' (default)' : ''}`,
    storageClass.provisioner ?? '',
    storageClass.reclaimPolicy ?? 'Delete',
    storageClass.volumeBindingMode ?? 'Immediate',
    storageClass.allowVolumeExpansion ?? false,
    age(storageClass, nowMs),
  ]
}
