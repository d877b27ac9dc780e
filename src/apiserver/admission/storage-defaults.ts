import { oldClassAnnotation } from '../../api/core/claim-binding.ts'
import {
  ingressClasses,
  ingresses,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttributesClasses,
} from '../../api/generated/resources.ts'
import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { Ingress } from '../../api/generated/types/networking-v1.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { compareQuantities, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin } from './admission.ts'
import { refusal } from './forbidden.ts'
import { isResource } from './kinds.ts'

/** Of several defaults the newest counts, then the first by name. */
function newestDefault<T extends KubernetesObject>(
  objects: readonly Frozen<T>[],
  annotation: string,
): Frozen<T> | undefined {
  const defaults = objects.filter(({ metadata }) => metadata?.annotations?.[annotation] === 'true')
  return defaults.sort((a, b) => {
    const [left, right] = [a.metadata?.creationTimestamp ?? '', b.metadata?.creationTimestamp ?? '']
    return left === right ? (a.metadata!.name! < b.metadata!.name! ? -1 : 1) : left > right ? -1 : 1
  })[0]
}

/** Claims that name no class get the default one. */
export const defaultStorageClass = (lookup: Lookup): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  handles: (operation, kind, subresource) =>
    operation === 'CREATE' && isResource(kind, persistentVolumeClaims) && subresource === '',
  admit({ object }) {
    const claim = object as PersistentVolumeClaim
    const spec = (claim.spec ??= {})
    if (spec.storageClassName !== undefined || claim.metadata?.annotations?.[oldClassAnnotation] !== undefined) return
    const found =
      newestDefault(lookup.list(storageClasses), 'storageclass.kubernetes.io/is-default-class') ??
      newestDefault(lookup.list(storageClasses), 'storageclass.beta.kubernetes.io/is-default-class')
    if (found) spec.storageClassName = found.metadata!.name!
  },
})

/** Ingresses that name no class get the default one. */
export const defaultIngressClass = (lookup: Lookup): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  handles: (operation, kind, subresource) =>
    operation === 'CREATE' && isResource(kind, ingresses) && subresource === '',
  admit({ object }) {
    const ingress = object as Ingress
    if (
      ingress.spec?.ingressClassName !== undefined ||
      ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] !== undefined
    )
      return
    const found = newestDefault(lookup.list(ingressClasses), 'ingressclass.kubernetes.io/is-default-class')
    if (found) (ingress.spec ??= {}).ingressClassName = found.metadata!.name!
  },
})

/** Claims and volumes in use are kept until they are not. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (operation, kind, subresource) =>
    operation === 'CREATE' &&
    subresource === '' &&
    (isResource(kind, persistentVolumeClaims) ||
      isResource(kind, persistentVolumes) ||
      isResource(kind, volumeAttributesClasses)),
  admit({ object, kind }) {
    const finalizer = isResource(kind, persistentVolumeClaims)
      ? 'kubernetes.io/pvc-protection'
      : isResource(kind, persistentVolumes)
        ? 'kubernetes.io/pv-protection'
        : 'kubernetes.io/vac-protection'
    const { metadata } = object!
    if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  },
}

/** Claims may grow only when they are bound and their class allows it. */
export const persistentVolumeClaimResize = (lookup: Lookup): AdmissionPlugin => ({
  name: 'PersistentVolumeClaimResize',
  handles: (operation, kind, subresource) =>
    operation === 'UPDATE' && isResource(kind, persistentVolumeClaims) && subresource === '',
  validate(attributes) {
    const claim = attributes.object as PersistentVolumeClaim
    const old = attributes.old as Frozen<PersistentVolumeClaim>
    const [size, oldSize] = [claim.spec?.resources?.requests?.['storage'], old.spec?.resources?.requests?.['storage']]
    if (
      size === undefined ||
      oldSize === undefined ||
      compareQuantities(parseQuantity(size), parseQuantity(oldSize)) <= 0
    )
      return
    if (old.status?.phase !== 'Bound') throw refusal(attributes, 'Only bound persistent volume claims can be expanded')
    const className = claim.spec?.storageClassName ?? claim.metadata?.annotations?.[oldClassAnnotation]
    const found = className ? lookup.get(storageClasses, { name: className }) : undefined
    if (!found?.allowVolumeExpansion)
      throw refusal(
        attributes,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
  },
})
