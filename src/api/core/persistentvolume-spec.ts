import type { PersistentVolumeSpec, SecretReference } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { isLabel, isLabelValue, isSubdomain } from '../validation/names.ts'
import { isNegativeAmount, nanos } from '../validation/quantities.ts'
import { checkAccessModes, volumeModes } from './persistentvolumeclaim-spec.ts'
import { checkNodeSelector } from './pod-spec/affinity.ts'
import { checkNoBacksteps } from './pod-spec/paths.ts'
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
} from './pod-spec/volume-sources.ts'

const policies = ['Delete', 'Recycle', 'Retain']

/** Whose spec it is and where. */
interface VolumeScope {
  /** The volume's name; '' for a volume inside of an attachment. */
  readonly name: string
  readonly at: FieldPath
  readonly old?: Frozen<PersistentVolumeSpec> | undefined
  /** The spec stands for a volume that has no object of its own. */
  readonly inline?: boolean
}

/** The rules of where data lies and how it is reached. */
export function checkVolumeSpec(
  spec: Frozen<PersistentVolumeSpec>,
  { name, at, old, inline }: VolumeScope,
  errors: FieldErrors,
): void {
  if (inline) checkInline(spec, at, errors)
  if (!spec.accessModes?.length) errors.required(at.child('accessModes'))
  checkAccessModes(spec.accessModes, at.child('accessModes'), errors)
  if (!inline) checkCapacity(spec.capacity ?? {}, at.child('capacity'), errors)
  const {
    persistentVolumeReclaimPolicy: policy,
    nodeAffinity,
    storageClassName,
    volumeMode,
    volumeAttributesClassName: attributes,
  } = spec
  if (policy && !inline && !policies.includes(policy))
    errors.notSupported(at.child('persistentVolumeReclaimPolicy'), policy, policies)
  if (nodeAffinity && !inline) {
    const path = at.child('nodeAffinity', 'required')
    if (nodeAffinity.required) checkNodeSelector(nodeAffinity.required, path, errors, hasInvalidNodes(old))
    else errors.required(path, 'must specify required node constraints')
  }
  checkSource(spec, name, at, errors)
  if (policy === 'Recycle' && spec.hostPath && /^\/+(\.?\/*)*$/.test(spec.hostPath.path))
    errors.forbidden(at.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'")
  if (storageClassName && inline) errors.forbidden(at.child('storageClassName'), inlineText)
  else if (storageClassName) checkText(isSubdomain, storageClassName, at.child('storageClassName'), errors)
  if (volumeMode !== undefined && inline) {
    if (volumeMode !== 'Filesystem')
      errors.forbidden(
        at.child('volumeMode'),
        'may not specify volumeMode other than Filesystem in the context of inline volumes',
      )
  } else if (volumeMode !== undefined && !volumeModes.includes(volumeMode))
    errors.notSupported(at.child('volumeMode'), volumeMode, volumeModes)
  if (attributes === undefined) return
  if (!attributes) errors.required(at.child('volumeAttributesClassName'), 'an empty string is disallowed')
  else checkText(isSubdomain, attributes, at.child('volumeAttributesClassName'), errors)
  if (!spec.csi) errors.required(at.child('csi'), 'has to be specified when using volumeAttributesClassName')
}

const hasInvalidNodes = (spec: Frozen<PersistentVolumeSpec> | undefined): boolean =>
  !!spec?.nodeAffinity?.required?.nodeSelectorTerms?.some((term) =>
    term.matchExpressions?.some(({ values }) => values?.some((value) => isLabelValue(value).length > 0)),
  )

const inlineText = 'may not be specified in the context of inline volumes'

/** What makes no sense without an object of its own. */
function checkInline(spec: Frozen<PersistentVolumeSpec>, at: FieldPath, errors: FieldErrors): void {
  if (spec.claimRef) errors.forbidden(at.child('claimRef'), inlineText)
  if (Object.keys(spec.capacity ?? {}).length) errors.forbidden(at.child('capacity'), inlineText)
  if (!spec.csi) errors.required(at.child('csi'), 'has to be specified in the context of inline volumes')
  if (spec.persistentVolumeReclaimPolicy && spec.persistentVolumeReclaimPolicy !== 'Retain')
    errors.forbidden(at.child('persistentVolumeReclaimPolicy'), 'may only be Retain in the context of inline volumes')
  if (spec.nodeAffinity) errors.forbidden(at.child('nodeAffinity'), inlineText)
}

function checkCapacity(capacity: Readonly<Record<string, string>>, at: FieldPath, errors: FieldErrors): void {
  const names = Object.keys(capacity)
  if (!names.length) errors.required(at)
  if (capacity['storage'] === undefined || names.length > 1) errors.notSupported(at, capacity, ['storage'])
  for (const name of names) {
    const amount = capacity[name] ?? '0'
    if (isNegativeAmount(amount)) errors.invalid(at.key(name), amount, 'must be a valid resource quantity')
    if (nanos(amount) <= 0n) errors.invalid(at.key(name), amount, 'must be greater than zero')
  }
}

interface Scope {
  readonly spec: Frozen<PersistentVolumeSpec>
  readonly volumeName: string
  readonly at: FieldPath
  readonly errors: FieldErrors
}

/** How each kind of source is checked, in upstream's order: the first one counts, others are too many. */
const sources: readonly {
  readonly name: keyof PersistentVolumeSpec
  readonly path?: string
  readonly forbiddenPath?: string
  readonly check: (scope: Scope) => void
}[] = [
  { name: 'hostPath', check: ({ spec, at, errors }) => spec.hostPath && checkHostPath(spec.hostPath, at, errors) },
  {
    name: 'gcePersistentDisk',
    path: 'persistentDisk',
    check: ({ spec, at, errors }) => {
      if (!spec.gcePersistentDisk?.pdName) errors.required(at.child('pdName'))
      checkPartition(spec.gcePersistentDisk ?? {}, at, errors)
    },
  },
  {
    name: 'awsElasticBlockStore',
    check: ({ spec, at, errors }) => {
      if (!spec.awsElasticBlockStore?.volumeID) errors.required(at.child('volumeID'))
      checkPartition(spec.awsElasticBlockStore ?? {}, at, errors)
    },
  },
  {
    name: 'glusterfs',
    check: ({ spec, at, errors }) => {
      if (!spec.glusterfs) return
      checkRequired(spec.glusterfs, ['endpoints', 'path'], at, errors)
      const { endpointsNamespace: namespace } = spec.glusterfs
      if (namespace === '')
        errors.invalid(
          at.child('endpointsNamespace'),
          namespace,
          'if the endpointnamespace is set, it must be a valid namespace name',
        )
      else if (namespace !== undefined)
        for (const text of isLabel(namespace)) errors.invalid(at.child('endpointsNamespace'), namespace, text)
    },
  },
  { name: 'flocker', check: ({ spec, at, errors }) => spec.flocker && checkFlocker(spec.flocker, at, errors) },
  { name: 'nfs', check: ({ spec, at, errors }) => spec.nfs && checkNfs(spec.nfs, at, errors) },
  {
    name: 'rbd',
    check: ({ spec, at, errors }) => spec.rbd && checkRequired(spec.rbd, ['monitors', 'image'], at, errors),
  },
  { name: 'quobyte', check: ({ spec, at, errors }) => spec.quobyte && checkQuobyte(spec.quobyte, at, errors) },
  {
    name: 'cephfs',
    forbiddenPath: 'cephFS',
    check: ({ spec, at, errors }) => spec.cephfs && checkRequired(spec.cephfs, ['monitors'], at, errors),
  },
  {
    name: 'iscsi',
    check: ({ spec, volumeName, at, errors }) => {
      if (!spec.iscsi) return
      checkIscsi(spec.iscsi, at, errors)
      if (spec.iscsi.secretRef && !spec.iscsi.secretRef.name) errors.required(at.child('secretRef', 'name'))
      if (spec.iscsi.initiatorName !== undefined && `${volumeName}:${spec.iscsi.targetPortal}`.length > 64) {
        errors.invalid(
          at.child('targetportal'),
          spec.iscsi.targetPortal,
          'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
        )
      }
    },
  },
  {
    name: 'cinder',
    check: ({ spec, at, errors }) => spec.cinder && checkCinder(spec.cinder, ['name', 'namespace'], at, errors),
  },
  { name: 'fc', check: ({ spec, at, errors }) => checkFc(spec.fc ?? {}, at, errors) },
  { name: 'flexVolume', check: ({ spec, at, errors }) => spec.flexVolume && checkFlex(spec.flexVolume, at, errors) },
  {
    name: 'azureFile',
    check: ({ spec, at, errors }) => {
      if (!spec.azureFile) return
      checkRequired(spec.azureFile, ['secretName', 'shareName'], at, errors)
      if (spec.azureFile.secretNamespace === '') errors.required(at.child('secretNamespace'))
    },
  },
  {
    name: 'vsphereVolume',
    check: ({ spec, at, errors }) =>
      spec.vsphereVolume && checkRequired(spec.vsphereVolume, ['volumePath'], at, errors),
  },
  {
    name: 'photonPersistentDisk',
    check: ({ spec, at, errors }) =>
      spec.photonPersistentDisk && checkRequired(spec.photonPersistentDisk, ['pdID'], at, errors),
  },
  {
    name: 'portworxVolume',
    check: ({ spec, at, errors }) =>
      spec.portworxVolume && checkRequired(spec.portworxVolume, ['volumeID'], at, errors),
  },
  { name: 'azureDisk', check: ({ spec, at, errors }) => spec.azureDisk && checkAzureDisk(spec.azureDisk, at, errors) },
  {
    name: 'scaleIO',
    check: ({ spec, at, errors }) =>
      spec.scaleIO && checkRequired(spec.scaleIO, ['gateway', 'system', 'volumeName'], at, errors),
  },
  {
    name: 'local',
    check: ({ spec, at, errors }) => {
      const path = spec.local?.path
      if (!path) errors.required(at.child('path'))
      else checkNoBacksteps(path, at.child('path'), errors)
      if (!spec.nodeAffinity) errors.required(field('spec', 'nodeAffinity'), 'Local volume requires node affinity')
    },
  },
  {
    name: 'storageos',
    check: ({ spec, at, errors }) =>
      spec.storageos && checkStorageOs(spec.storageos, ['name', 'namespace'], at, errors),
  },
  { name: 'csi', check: checkCsi },
]

function checkSource(spec: Frozen<PersistentVolumeSpec>, volumeName: string, at: FieldPath, errors: FieldErrors): void {
  let found = false
  for (const { name, path = name, forbiddenPath = name, check } of sources) {
    if (spec[name] === undefined || spec[name] === null) continue
    // Flex volumes are not told of when they come second.
    if (found && name !== 'flexVolume')
      errors.forbidden(at.child(forbiddenPath), 'may not specify more than 1 volume type')
    else check({ spec, volumeName, at: at.child(path), errors })
    found = true
  }
  if (!found) errors.required(at, 'must specify a volume type')
}

function checkCsi({ spec: { csi }, at, errors }: Scope): void {
  if (!csi) return
  checkDriverName(csi.driver, at.child('driver'), errors)
  if (!csi.volumeHandle) errors.required(at.child('volumeHandle'))
  for (const name of [
    'controllerPublishSecretRef',
    'controllerExpandSecretRef',
    'nodePublishSecretRef',
    'nodeExpandSecretRef',
  ] as const) {
    const reference = csi[name]
    if (reference) checkSecret(reference, at.child(name), errors)
  }
}

function checkSecret({ name, namespace }: Frozen<SecretReference>, at: FieldPath, errors: FieldErrors): void {
  if (!name) errors.required(at.child('name'))
  else for (const text of isSubdomain(name)) errors.invalid(at.child('name'), name, text)
  if (!namespace) errors.required(at.child('namespace'))
  else for (const text of isLabel(namespace)) errors.invalid(at.child('namespace'), namespace, text)
}

/** The source alone, whichever it is. */
export const sourceOf = (spec: Frozen<PersistentVolumeSpec>) =>
  Object.fromEntries(sources.flatMap(({ name }) => (spec[name] ? [[name, spec[name]]] : [])))
