import type { Container, EphemeralContainer, Volume, VolumeMount } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkDescendingPath } from './paths.ts'

const propagations = ['Bidirectional', 'HostToContainer', 'None']
const recursions = ['Disabled', 'Enabled', 'IfPossible']

/** Where a container sees the Pod's volumes. */
export function checkVolumeMounts(
  container: Frozen<Container | EphemeralContainer>,
  volumes: ReadonlyMap<string, Frozen<Volume>>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const paths = new Set<string>()
  container.volumeMounts?.forEach((mount, i) => {
    const { name = '', mountPath = '' } = mount
    if (!name) errors.required(at.index(i).child('name'))
    if (!volumes.has(name)) errors.notFound(at.index(i).child('name'), name)
    if (!mountPath) errors.required(at.index(i).child('mountPath'))
    if (paths.has(mountPath)) errors.invalid(at.index(i).child('mountPath'), mountPath, 'must be unique')
    paths.add(mountPath)
    if (container.volumeDevices?.some((device) => device.name === name))
      errors.invalid(at.index(i).child('name'), name, 'must not already exist in volumeDevices')
    if (container.volumeDevices?.some((device) => device.devicePath === mountPath))
      errors.invalid(at.index(i).child('mountPath'), mountPath, 'must not already exist as a path in volumeDevices')
    if (mount.subPath || mount.subPathExpr) checkSubPath(mount, i, at, errors)
    if (mount.mountPropagation !== undefined) {
      if (!propagations.includes(mount.mountPropagation))
        errors.notSupported(at.child('mountPropagation'), mount.mountPropagation, propagations)
      if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
        errors.forbidden(
          at.child('mountPropagation'),
          'Bidirectional mount propagation is available only to privileged containers',
        )
      }
    }
    if (mount.recursiveReadOnly !== undefined) checkRecursiveReadOnly(mount, at.child('recursiveReadOnly'), errors)
  })
}

function checkSubPath(
  { subPath, subPathExpr }: Frozen<VolumeMount>,
  i: number,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (subPath) checkDescendingPath(subPath, at.child('subPath'), errors)
  if (!subPathExpr) return
  if (subPath)
    errors.invalid(at.index(i).child('subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive')
  checkDescendingPath(subPathExpr, at.child('subPathExpr'), errors)
}

function checkRecursiveReadOnly(
  { recursiveReadOnly = '', readOnly, mountPropagation }: Frozen<VolumeMount>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!recursions.includes(recursiveReadOnly)) return errors.notSupported(at, recursiveReadOnly, recursions)
  if (recursiveReadOnly === 'Disabled') return
  if (!readOnly) errors.forbidden(at, 'may only be specified when readOnly is true')
  if (mountPropagation !== undefined && mountPropagation !== 'None')
    errors.forbidden(at, 'may only be specified when mountPropagation is None or not specified')
}
