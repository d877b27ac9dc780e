import { persistentVolumes } from '../generated/resources.ts'
import type { NodeSelectorRequirement, PersistentVolume, PersistentVolumeSpec, SecretReference, VolumeNodeAffinity } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { immutableText, isLabel, isLabelValue, isSubdomain } from '../validation/names.ts'
import { isNegativeAmount, nanos, roundAmounts } from '../validation/quantities.ts'
import { checkAccessModes, volumeModes } from './persistentvolumeclaim-spec.ts'
import { checkNodeSelector } from './pod-spec/affinity.ts'
import { defaultAzureDisk, defaultRbd, defaultScaleIo } from './pod-spec/defaults.ts'
import { checkNoBacksteps } from './pod-spec/paths.ts'
import { checkAzureDisk, checkCinder, checkDriverName, checkFc, checkFlex, checkFlocker, checkHostPath, checkIscsi, checkNfs, checkPartition, checkQuobyte, checkRequired, checkStorageOs } from './pod-spec/volume-sources.ts'
import { nodeTermWarnings } from './pod-spec/warnings.ts'
import { persistentVolumeRow } from './persistentvolume-row.ts'

const mountOptions = 'volume.beta.kubernetes.io/mount-options'

/** What a PersistentVolume does. */
export const persistentVolumeDefinition = defineKind(persistentVolumes, {
  row: persistentVolumeRow,
  status: true,
  generation: false,
  metadata: { onUpdate: 'object' },
  defaults(volume) {
    const spec = ensure(volume, 'spec')
    ensure(volume, 'status').phase ||= 'Pending'
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    roundAmounts(spec.capacity)
    if (spec.hostPath) spec.hostPath.type ??= ''
    if (spec.rbd) defaultRbd(spec.rbd)
    if (spec.iscsi) spec.iscsi.iscsiInterface ||= 'default'
    if (spec.azureDisk) defaultAzureDisk(spec.azureDisk)
    if (spec.scaleIO) defaultScaleIo(spec.scaleIO)
  },
  prepareCreate(volume, { nowMs }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: timeText(nowMs) }
  },
  prepareUpdate(volume, old, { subresource, nowMs }) {
    if (subresource !== 'status') return
    const status = ensure(volume, 'status')
    const before = old.status ?? {}
    if (status.phase === before.phase) {
      if (before.lastPhaseTransitionTime) status.lastPhaseTransitionTime ??= before.lastPhaseTransitionTime
    } else if (!status.lastPhaseTransitionTime || status.lastPhaseTransitionTime === before.lastPhaseTransitionTime) status.lastPhaseTransitionTime = timeText(nowMs)
  },
  validate: (volume, errors) => checkVolume(volume, undefined, errors),
  validateUpdate(volume, old, errors, { subresource }) {
    if (subresource === 'status') {
      if (!volume.metadata.resourceVersion) errors.required(field('resourceVersion'))
      return
    }
    checkVolume(volume, old, errors)
    // Upstream tells errors of the spec twice.
    checkSpec(volume, old, errors)
    checkChange(volume.spec ?? {}, old.spec ?? {}, errors)
  },
  warnings,
})

const timeText = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`

function checkVolume(volume: Frozen<PersistentVolume>, old: Frozen<PersistentVolume> | undefined, errors: FieldErrors): void {
  checkSpec(volume, old, errors)
  const mountable = ['gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi', 'cinder', 'cephfs', 'azureFile', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk'] as const
  if (volume.metadata.annotations?.[mountOptions] === undefined || mountable.some((name) => volume.spec?.[name])) return
  errors.forbidden(field('metadata', 'annotations', mountOptions), 'may not specify mount options for this volume type')
}

const policies = ['Delete', 'Recycle', 'Retain']

function checkSpec({ metadata, spec = {} }: Frozen<PersistentVolume>, old: Frozen<PersistentVolume> | undefined, errors: FieldErrors): void {
  const at = field('spec')
  if (!spec.accessModes?.length) errors.required(at.child('accessModes'))
  checkAccessModes(spec.accessModes, at.child('accessModes'), errors)
  checkCapacity(spec.capacity ?? {}, at.child('capacity'), errors)
  const { persistentVolumeReclaimPolicy: policy, nodeAffinity, storageClassName, volumeMode, volumeAttributesClassName: attributes } = spec
  if (policy && !policies.includes(policy)) errors.notSupported(at.child('persistentVolumeReclaimPolicy'), policy, policies)
  if (nodeAffinity) {
    const path = at.child('nodeAffinity', 'required')
    const anyValue = old?.spec?.nodeAffinity?.required?.nodeSelectorTerms?.some((term) => term.matchExpressions?.some(({ values }) => values?.some((value) => isLabelValue(value).length > 0)))
    if (nodeAffinity.required) checkNodeSelector(nodeAffinity.required, path, errors, anyValue)
    else errors.required(path, 'must specify required node constraints')
  }
  checkSource(spec, metadata.name ?? '', at, errors)
  if (policy === 'Recycle' && spec.hostPath && /^\/+(\.?\/*)*$/.test(spec.hostPath.path)) errors.forbidden(at.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'")
  if (storageClassName) for (const text of isSubdomain(storageClassName)) errors.invalid(at.child('storageClassName'), storageClassName, text)
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode)) errors.notSupported(at.child('volumeMode'), volumeMode, volumeModes)
  if (attributes === undefined) return
  if (!attributes) errors.required(at.child('volumeAttributesClassName'), 'an empty string is disallowed')
  else for (const text of isSubdomain(attributes)) errors.invalid(at.child('volumeAttributesClassName'), attributes, text)
  if (!spec.csi) errors.required(at.child('csi'), 'has to be specified when using volumeAttributesClassName')
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
const sources: readonly { readonly name: keyof PersistentVolumeSpec; readonly path?: string; readonly forbiddenPath?: string; readonly check: (scope: Scope) => void }[] = [
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
      if (namespace === '') errors.invalid(at.child('endpointsNamespace'), namespace, 'if the endpointnamespace is set, it must be a valid namespace name')
      else if (namespace !== undefined) for (const text of isLabel(namespace)) errors.invalid(at.child('endpointsNamespace'), namespace, text)
    },
  },
  { name: 'flocker', check: ({ spec, at, errors }) => spec.flocker && checkFlocker(spec.flocker, at, errors) },
  { name: 'nfs', check: ({ spec, at, errors }) => spec.nfs && checkNfs(spec.nfs, at, errors) },
  { name: 'rbd', check: ({ spec, at, errors }) => spec.rbd && checkRequired(spec.rbd, ['monitors', 'image'], at, errors) },
  { name: 'quobyte', check: ({ spec, at, errors }) => spec.quobyte && checkQuobyte(spec.quobyte, at, errors) },
  { name: 'cephfs', forbiddenPath: 'cephFS', check: ({ spec, at, errors }) => spec.cephfs && checkRequired(spec.cephfs, ['monitors'], at, errors) },
  {
    name: 'iscsi',
    check: ({ spec, volumeName, at, errors }) => {
      if (!spec.iscsi) return
      checkIscsi(spec.iscsi, at, errors)
      if (spec.iscsi.secretRef && !spec.iscsi.secretRef.name) errors.required(at.child('secretRef', 'name'))
      if (spec.iscsi.initiatorName !== undefined && `${volumeName}:${spec.iscsi.targetPortal}`.length > 64) {
        errors.invalid(at.child('targetportal'), spec.iscsi.targetPortal, 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.')
      }
    },
  },
  { name: 'cinder', check: ({ spec, at, errors }) => spec.cinder && checkCinder(spec.cinder, ['name', 'namespace'], at, errors) },
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
  { name: 'vsphereVolume', check: ({ spec, at, errors }) => spec.vsphereVolume && checkRequired(spec.vsphereVolume, ['volumePath'], at, errors) },
  { name: 'photonPersistentDisk', check: ({ spec, at, errors }) => spec.photonPersistentDisk && checkRequired(spec.photonPersistentDisk, ['pdID'], at, errors) },
  { name: 'portworxVolume', check: ({ spec, at, errors }) => spec.portworxVolume && checkRequired(spec.portworxVolume, ['volumeID'], at, errors) },
  { name: 'azureDisk', check: ({ spec, at, errors }) => spec.azureDisk && checkAzureDisk(spec.azureDisk, at, errors) },
  { name: 'scaleIO', check: ({ spec, at, errors }) => spec.scaleIO && checkRequired(spec.scaleIO, ['gateway', 'system', 'volumeName'], at, errors) },
  {
    name: 'local',
    check: ({ spec, at, errors }) => {
      const path = spec.local?.path
      if (!path) errors.required(at.child('path'))
      else checkNoBacksteps(path, at.child('path'), errors)
      if (!spec.nodeAffinity) errors.required(field('spec', 'nodeAffinity'), 'Local volume requires node affinity')
    },
  },
  { name: 'storageos', check: ({ spec, at, errors }) => spec.storageos && checkStorageOs(spec.storageos, ['name', 'namespace'], at, errors) },
  { name: 'csi', check: checkCsi },
]

function checkSource(spec: Frozen<PersistentVolumeSpec>, volumeName: string, at: FieldPath, errors: FieldErrors): void {
  let found = false
  for (const { name, path = name, forbiddenPath = name, check } of sources) {
    if (spec[name] === undefined || spec[name] === null) continue
    // Flex volumes are not told of when they come second.
    if (found && name !== 'flexVolume') errors.forbidden(at.child(forbiddenPath), 'may not specify more than 1 volume type')
    else check({ spec, volumeName, at: at.child(path), errors })
    found = true
  }
  if (!found) errors.required(at, 'must specify a volume type')
}

function checkCsi({ spec: { csi }, at, errors }: Scope): void {
  if (!csi) return
  checkDriverName(csi.driver, at.child('driver'), errors)
  if (!csi.volumeHandle) errors.required(at.child('volumeHandle'))
  for (const name of ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const) {
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

const sourceOf = (spec: Frozen<PersistentVolumeSpec>) => Object.fromEntries(sources.flatMap(({ name }) => (spec[name] ? [[name, spec[name]]] : [])))

function checkChange(spec: Frozen<PersistentVolumeSpec>, old: Frozen<PersistentVolumeSpec>, errors: FieldErrors): void {
  let now = spec
  // The secret for growing a volume may be added later.
  if (old.csi && !old.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...csi } = spec.csi
    now = { ...spec, csi }
  }
  if (!equal(sourceOf(now), sourceOf(old))) errors.forbidden(field('spec', 'persistentvolumesource'), 'spec.persistentvolumesource is immutable after creation')
  if (spec.volumeMode !== old.volumeMode) errors.invalid(field('volumeMode'), spec.volumeMode, immutableText)
  if (old.nodeAffinity && !equal(spec.nodeAffinity, old.nodeAffinity) && !equal(spec.nodeAffinity, withNewLabels(old.nodeAffinity, spec.nodeAffinity))) {
    errors.invalid(field('nodeAffinity'), spec.nodeAffinity, `${immutableText}, except for updating from beta label to GA`)
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) errors.forbidden(field('spec', 'volumeAttributesClassName'), 'update from non-nil value to nil is forbidden')
}

const newLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

/** The old affinity with labels renamed where the new one renames them. */
function withNewLabels(old: Frozen<VolumeNodeAffinity>, now: Frozen<VolumeNodeAffinity> | undefined): Frozen<VolumeNodeAffinity> {
  const rename = (list: readonly Frozen<NodeSelectorRequirement>[] | undefined, other: readonly Frozen<NodeSelectorRequirement>[] | undefined) =>
    list?.map((requirement, i) => (newLabels[requirement.key] === other?.[i]?.key ? { ...requirement, key: other?.[i]?.key ?? '' } : requirement))
  const others = now?.required?.nodeSelectorTerms
  const nodeSelectorTerms = (old.required?.nodeSelectorTerms ?? []).map((term, i) => {
    const matchExpressions = rename(term.matchExpressions, others?.[i]?.matchExpressions)
    return matchExpressions ? { ...term, matchExpressions } : term
  })
  return { ...old, required: { nodeSelectorTerms } }
}

const deadVolumes = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const

function warnings({ metadata, spec = {} }: Frozen<PersistentVolume>): string[] {
  const deadAnnotations = [
    ['volume.beta.kubernetes.io/storage-class', 'deprecated since v1.8; use "storageClassName" attribute instead'],
    [mountOptions, 'deprecated since v1.31; use "mountOptions" attribute instead'],
  ] as const
  return [
    ...deadAnnotations.filter(([key]) => metadata.annotations?.[key] !== undefined).map(([key, why]) => `metadata.annotations[${key}]: ${why}`),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle' ? ['spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'] : []),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, i) => nodeTermWarnings(term, false, field('spec', 'nodeAffinity', 'required', 'nodeSelectorTerms').index(i))),
    ...deadVolumes.filter(([name]) => spec[name]).map(([, path, why]) => `spec.${path}: ${why}`),
  ]
}
