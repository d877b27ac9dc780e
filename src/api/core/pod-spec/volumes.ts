import type {
  ConfigMapVolumeSource,
  CSIVolumeSource,
  EphemeralVolumeSource,
  SecretVolumeSource,
  Volume,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isLabel, isSubdomain } from '../../validation/names.ts'
import { isNegativeAmount } from '../../validation/quantities.ts'
import { checkClaimTemplate } from '../persistentvolumeclaim-spec.ts'
import { checkPullPolicy } from './containers.ts'
import { checkDescendingPath, checkFileMode } from './paths.ts'
import { checkDownwardFile, checkKeyToPath, checkProjected } from './projected.ts'
import type { PodRules } from './rules.ts'
import {
  checkAzureDisk,
  checkCinder,
  checkDriverName,
  checkFc,
  checkFlex,
  checkFlocker,
  checkHostPath,
  checkIscsi,
  checkNfs,
  checkPartition,
  checkQuobyte,
  checkRequired,
  checkStorageOs,
} from './volume-sources.ts'

/** What a source is checked with: `at` is the source's path, `volumeAt` the volume's. */
interface Scope {
  readonly volume: Frozen<Volume>
  readonly at: FieldPath
  readonly volumeAt: FieldPath
  readonly errors: FieldErrors
  readonly rules: PodRules
}

type Source = Exclude<keyof Volume, 'name'>

/** How each kind of source is checked, in upstream's order: the first one counts, others are too many. */
const sources: readonly {
  readonly name: Source
  readonly path?: string
  readonly forbiddenPath?: string
  readonly check: (scope: Scope) => void
}[] = [
  {
    name: 'emptyDir',
    check: ({ volume, at, errors }) => {
      if (isNegativeAmount(volume.emptyDir?.sizeLimit))
        errors.forbidden(at.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity')
    },
  },
  { name: 'hostPath', check: ({ volume, at, errors }) => checkHostPath(volume.hostPath ?? { path: '' }, at, errors) },
  {
    name: 'gitRepo',
    check: ({ volume, at, errors }) => {
      if (!volume.gitRepo?.repository) errors.required(at.child('repository'))
      checkDescendingPath(volume.gitRepo?.directory ?? '', at.child('directory'), errors)
    },
  },
  {
    name: 'gcePersistentDisk',
    path: 'persistentDisk',
    check: ({ volume, at, errors }) => {
      if (!volume.gcePersistentDisk?.pdName) errors.required(at.child('pdName'))
      checkPartition(volume.gcePersistentDisk ?? {}, at, errors)
    },
  },
  {
    name: 'awsElasticBlockStore',
    check: ({ volume, at, errors }) => {
      if (!volume.awsElasticBlockStore?.volumeID) errors.required(at.child('volumeID'))
      checkPartition(volume.awsElasticBlockStore ?? {}, at, errors)
    },
  },
  { name: 'secret', check: ({ volume, at, errors }) => checkKeys(volume.secret ?? {}, 'secretName', at, errors) },
  { name: 'nfs', check: ({ volume, at, errors }) => volume.nfs && checkNfs(volume.nfs, at, errors) },
  {
    name: 'iscsi',
    check: ({ volume, at, volumeAt, errors }) => {
      if (!volume.iscsi) return
      checkIscsi(volume.iscsi, at, errors)
      if (volume.iscsi.initiatorName !== undefined && `${volume.name}:${volume.iscsi.targetPortal}`.length > 64) {
        errors.invalid(
          volumeAt.child('name'),
          volume.name,
          'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
        )
      }
    },
  },
  {
    name: 'glusterfs',
    check: ({ volume, at, errors }) =>
      volume.glusterfs && checkRequired(volume.glusterfs, ['endpoints', 'path'], at, errors),
  },
  { name: 'flocker', check: ({ volume, at, errors }) => checkFlocker(volume.flocker ?? {}, at, errors) },
  {
    name: 'persistentVolumeClaim',
    check: ({ volume, at, errors }) =>
      volume.persistentVolumeClaim && checkRequired(volume.persistentVolumeClaim, ['claimName'], at, errors),
  },
  {
    name: 'rbd',
    check: ({ volume, at, errors }) => volume.rbd && checkRequired(volume.rbd, ['monitors', 'image'], at, errors),
  },
  {
    name: 'cinder',
    check: ({ volume, at, errors }) => volume.cinder && checkCinder(volume.cinder, ['name'], at, errors),
  },
  {
    name: 'cephfs',
    forbiddenPath: 'cephFS',
    check: ({ volume, at, errors }) => volume.cephfs && checkRequired(volume.cephfs, ['monitors'], at, errors),
  },
  { name: 'quobyte', check: ({ volume, at, errors }) => volume.quobyte && checkQuobyte(volume.quobyte, at, errors) },
  {
    name: 'downwardAPI',
    // Misspelt upstream, and clients see it.
    forbiddenPath: 'downwarAPI',
    check: ({ volume, at, errors }) => {
      checkFileMode(volume.downwardAPI?.defaultMode, at.child('defaultMode'), errors)
      for (const file of volume.downwardAPI?.items ?? []) checkDownwardFile(file, at, errors)
    },
  },
  { name: 'fc', check: ({ volume, at, errors }) => checkFc(volume.fc ?? {}, at, errors) },
  {
    name: 'flexVolume',
    check: ({ volume, at, errors }) => volume.flexVolume && checkFlex(volume.flexVolume, at, errors),
  },
  { name: 'configMap', check: ({ volume, at, errors }) => checkKeys(volume.configMap ?? {}, 'name', at, errors) },
  {
    name: 'azureFile',
    check: ({ volume, at, errors }) =>
      volume.azureFile && checkRequired(volume.azureFile, ['secretName', 'shareName'], at, errors),
  },
  {
    name: 'vsphereVolume',
    check: ({ volume, at, errors }) =>
      volume.vsphereVolume && checkRequired(volume.vsphereVolume, ['volumePath'], at, errors),
  },
  {
    name: 'photonPersistentDisk',
    check: ({ volume, at, errors }) =>
      volume.photonPersistentDisk && checkRequired(volume.photonPersistentDisk, ['pdID'], at, errors),
  },
  {
    name: 'portworxVolume',
    check: ({ volume, at, errors }) =>
      volume.portworxVolume && checkRequired(volume.portworxVolume, ['volumeID'], at, errors),
  },
  {
    name: 'azureDisk',
    check: ({ volume, at, errors }) => volume.azureDisk && checkAzureDisk(volume.azureDisk, at, errors),
  },
  {
    name: 'storageos',
    check: ({ volume, at, errors }) => volume.storageos && checkStorageOs(volume.storageos, ['name'], at, errors),
  },
  {
    name: 'projected',
    check: ({ volume, at, errors, rules }) => volume.projected && checkProjected(volume.projected, at, errors, rules),
  },
  {
    name: 'scaleIO',
    check: ({ volume, at, errors }) =>
      volume.scaleIO && checkRequired(volume.scaleIO, ['gateway', 'system', 'volumeName'], at, errors),
  },
  { name: 'csi', check: ({ volume, at, errors }) => volume.csi && checkCsi(volume.csi, at, errors) },
  {
    name: 'ephemeral',
    check: ({ volume, at, volumeAt, errors, rules }) =>
      volume.ephemeral && checkEphemeral(volume, volume.ephemeral, { at, volumeAt, errors, rules }),
  },
  {
    name: 'image',
    check: ({ volume, at, errors, rules }) => {
      if (rules.isPod && !volume.image?.reference) errors.required(at.child('reference'))
      checkPullPolicy(volume.image?.pullPolicy, at, 'pullPolicy', errors)
    },
  },
]

/** The volumes of a Pod. Returns those that are fine by name: mounts of others are told as not found. */
export function checkVolumes(
  volumes: Frozen<Volume[]> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): Map<string, Frozen<Volume>> {
  const valid = new Map<string, Frozen<Volume>>()
  if (!volumes?.length) return valid
  const made = new Set(
    rules.podName ? volumes.filter(({ ephemeral }) => ephemeral).map(({ name }) => `${rules.podName}-${name}`) : [],
  )
  volumes.forEach((volume, i) => {
    const path = at.index(i)
    const { name = '', persistentVolumeClaim: claim } = volume
    const before = errors.list.length
    checkSource(volume, path, errors, rules)
    if (!name) errors.required(path.child('name'))
    else for (const text of isLabel(name)) errors.invalid(path.child('name'), name, text)
    if (valid.has(name)) errors.duplicate(path.child('name'), name)
    if (errors.list.length === before) valid.set(name, volume)
    if (claim && made.has(claim.claimName))
      errors.invalid(
        path.child('persistentVolumeClaim', 'claimName'),
        claim.claimName,
        'must not reference a PVC that gets created for an ephemeral volume',
      )
  })
  return valid
}

function checkSource(volume: Frozen<Volume>, volumeAt: FieldPath, errors: FieldErrors, rules: PodRules): void {
  let found = false
  for (const { name, path = name, forbiddenPath = name, check } of sources) {
    if (volume[name] === undefined || volume[name] === null) continue
    if (found) errors.forbidden(volumeAt.child(forbiddenPath), 'may not specify more than 1 volume type')
    else check({ volume, at: volumeAt.child(path), volumeAt, errors, rules })
    found = true
  }
  if (!found) errors.required(volumeAt, 'must specify a volume type')
}

function checkKeys(
  source: Frozen<SecretVolumeSource & ConfigMapVolumeSource>,
  name: 'secretName' | 'name',
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!source[name]) errors.required(at.child(name))
  checkFileMode(source.defaultMode, at.child('defaultMode'), errors)
  source.items?.forEach((item, i) => checkKeyToPath(item, at.child('items').index(i), errors))
}

function checkCsi(
  { driver, nodePublishSecretRef: secret }: Frozen<CSIVolumeSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkDriverName(driver, at.child('driver'), errors)
  if (!secret) return
  if (!secret.name) errors.required(at.child('nodePublishSecretRef', 'name'))
  else for (const text of isSubdomain(secret.name)) errors.invalid(at.child('name'), secret.name, text)
}

function checkEphemeral(
  { name = '' }: Frozen<Volume>,
  { volumeClaimTemplate }: Frozen<EphemeralVolumeSource>,
  { at, volumeAt, errors, rules }: Omit<Scope, 'volume'>,
): void {
  if (!volumeClaimTemplate) errors.required(at.child('volumeClaimTemplate'))
  else checkClaimTemplate(volumeClaimTemplate, at.child('volumeClaimTemplate'), errors)
  if (!rules.podName || !name) return
  const claim = `${rules.podName}-${name}`
  for (const text of isSubdomain(claim))
    errors.invalid(volumeAt.child('name'), name, `PVC name ${JSON.stringify(claim)}: ${text}`)
}
