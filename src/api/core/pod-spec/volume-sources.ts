import type {
  CinderPersistentVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  AzureDiskVolumeSource,
  QuobyteVolumeSource,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isLabel, isSubdomain, rangeText } from '../../validation/names.ts'
import { checkNoBacksteps } from './paths.ts'

/** Sources that Pods and PersistentVolumes share. Each is checked at its own path. */

/** Fields that must not be empty. */
export function checkRequired<T extends object>(
  source: Frozen<T>,
  names: readonly (keyof T & string)[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  const fields = source as Readonly<Record<string, unknown>>
  for (const name of names) {
    const value = fields[name]
    if (!value || (Array.isArray(value) && value.length === 0)) errors.required(at.child(name))
  }
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

/** The rules of one kind of volume source each; texts and paths are upstream’s. */
export function checkHostPath({ path, type }: Frozen<HostPathVolumeSource>, at: FieldPath, errors: FieldErrors): void {
  if (!path) return errors.required(at.child('path'))
  checkNoBacksteps(path, at.child('path'), errors)
  if (type !== undefined && !hostPathTypes.includes(type)) errors.notSupported(at.child('type'), type, hostPathTypes)
}

/** A partition number. */
export function checkPartition(
  { partition = 0 }: { readonly partition?: number },
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (partition < 0 || partition > 255) errors.invalid(at.child('partition'), partition, rangeText(1, 255))
}

/** NFS volumes. */
export function checkNfs({ server, path = '' }: Frozen<NFSVolumeSource>, at: FieldPath, errors: FieldErrors): void {
  if (!server) errors.required(at.child('server'))
  if (!path) errors.required(at.child('path'))
  if (!path.startsWith('/')) errors.invalid(at.child('path'), path, 'must be an absolute path')
}

const iscsiNames: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.[a-zA-Z0-9.-]+:[^,;*&$|\s]+$/,
  eui: /^eui.[a-zA-Z0-9]{16}$/,
  naa: /^naa.[a-zA-Z0-9]{32}$/,
}

function iscsiNameError(name: string): string | undefined {
  const rule = iscsiNames[name.slice(0, 3)]
  if (!rule) return 'must be valid format starting with iqn, eui, or naa'
  return rule.test(name) ? undefined : 'must be valid format'
}

/** What iSCSI volumes of Pods and PersistentVolumes have in common. */
export function checkIscsi(
  source: Pick<
    Frozen<ISCSIVolumeSource>,
    'targetPortal' | 'iqn' | 'lun' | 'chapAuthDiscovery' | 'chapAuthSession' | 'initiatorName'
  > & { readonly secretRef?: object },
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { targetPortal, iqn, lun = 0, initiatorName } = source
  if (!targetPortal) errors.required(at.child('targetPortal'))
  const iqnError = iqn ? iscsiNameError(iqn) : undefined
  if (!iqn) errors.required(at.child('iqn'))
  else if (iqnError) errors.invalid(at.child('iqn'), iqn, iqnError)
  if (lun < 0 || lun > 255) errors.invalid(at.child('lun'), lun, rangeText(0, 255))
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) errors.required(at.child('secretRef'))
  const initiatorError = initiatorName === undefined ? undefined : iscsiNameError(initiatorName)
  if (initiatorError) errors.invalid(at.child('initiatorname'), initiatorName, initiatorError)
}

/** Fibre Channel volumes. */
export function checkFc({ targetWWNs, wwids, lun }: Frozen<FCVolumeSource>, at: FieldPath, errors: FieldErrors): void {
  if (!targetWWNs?.length && !wwids?.length)
    errors.required(at.child('targetWWNs'), 'must specify either targetWWNs or wwids, but not both')
  if (targetWWNs?.length && wwids?.length)
    errors.invalid(at.child('targetWWNs'), targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')
  if (!targetWWNs?.length) return
  if (lun === undefined) errors.required(at.child('lun'), 'lun is required if targetWWNs is specified')
  else if (lun < 0 || lun > 255) errors.invalid(at.child('lun'), lun, rangeText(0, 255))
}

const pairRule = 'must be a host:port pair or multiple pairs separated by commas'

/** Quobyte volumes. */
export function checkQuobyte(
  { registry, tenant = '', volume }: Frozen<QuobyteVolumeSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!registry) errors.required(at.child('registry'), pairRule)
  else if (tenant.length >= 65)
    errors.required(at.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters')
  else
    for (const pair of registry.split(','))
      if (!/^([^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair)) errors.invalid(at.child('registry'), registry, pairRule)
  if (!volume) errors.required(at.child('volume'))
}

/** Flocker volumes. */
export function checkFlocker(
  { datasetName = '', datasetUUID = '' }: Frozen<FlockerVolumeSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!datasetName && !datasetUUID) errors.required(at, 'one of datasetName and datasetUUID is required')
  if (datasetName && datasetUUID)
    errors.invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')
  if (datasetName.includes('/')) errors.invalid(at.child('datasetName'), datasetName, "must not contain '/'")
}

/** `named` says which parts of the secret's reference there must be. */
export function checkCinder(
  { volumeID, secretRef }: Frozen<CinderPersistentVolumeSource>,
  named: readonly (keyof SecretReference)[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!volumeID) errors.required(at.child('volumeID'))
  if (secretRef) checkRequired<SecretReference>(secretRef, named, at.child('secretRef'), errors)
}

/** FlexVolumes. */
export function checkFlex(
  { driver, options }: Pick<Frozen<FlexVolumeSource>, 'driver' | 'options'>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!driver) errors.required(at.child('driver'))
  for (const key in options) {
    const namespace = `.${key.split('/')[0]?.toLowerCase()}`
    if (namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io'))
      errors.invalid(at.child('options').key(key), key, 'kubernetes.io and k8s.io namespaces are reserved')
  }
}

/** Azure disks. */
export function checkAzureDisk(
  { diskName, diskURI = '', cachingMode, kind }: Frozen<AzureDiskVolumeSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!diskName) errors.required(at.child('diskName'))
  if (!diskURI) errors.required(at.child('diskURI'))
  const modes = ['None', 'ReadOnly', 'ReadWrite']
  if (cachingMode !== undefined && !modes.includes(cachingMode))
    errors.notSupported(at.child('cachingMode'), cachingMode, modes)
  if (kind === undefined) return
  const kinds = ['Dedicated', 'Managed', 'Shared']
  if (!kinds.includes(kind)) errors.notSupported(at.child('kind'), kind, kinds)
  if (kind === 'Managed') {
    if (!diskURI.startsWith('/subscriptions/'))
      errors.notSupported(at.child('diskURI'), diskURI, [
        '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
      ])
  } else if (!diskURI.startsWith('https://'))
    errors.notSupported(at.child('diskURI'), diskURI, [
      'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd',
    ])
}

/** StorageOS volumes. */
export function checkStorageOs(
  {
    volumeName,
    volumeNamespace,
    secretRef,
  }: Pick<Frozen<StorageOSPersistentVolumeSource>, 'volumeName' | 'volumeNamespace' | 'secretRef'>,
  named: readonly (keyof SecretReference)[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!volumeName) errors.required(at.child('volumeName'))
  else for (const text of isLabel(volumeName)) errors.invalid(at.child('volumeName'), volumeName, text)
  if (volumeNamespace)
    for (const text of isLabel(volumeNamespace)) errors.invalid(at.child('volumeNamespace'), volumeNamespace, text)
  if (secretRef) checkRequired<SecretReference>(secretRef, named, at.child('secretRef'), errors)
}

/** The name of a CSI driver. */
export function checkDriverName(driver: string | undefined, at: FieldPath, errors: FieldErrors): void {
  if (!driver) return errors.required(at)
  if (driver.length > 63) errors.tooLong(at, 63)
  for (const text of isSubdomain(driver.toLowerCase())) errors.invalid(at, driver, text)
}
