import { persistentVolumes } from '../generated/resources.ts'
import type {
  NodeSelectorRequirement,
  PersistentVolume,
  PersistentVolumeSpec,
  VolumeNodeAffinity,
} from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors } from '../validation/field.ts'
import { immutableText } from '../validation/names.ts'
import { roundAmounts } from '../validation/quantities.ts'
import { defaultAzureDisk, defaultRbd, defaultScaleIo } from './pod-spec/defaults.ts'
import { nodeTermWarnings } from './pod-spec/warnings.ts'
import { checkVolumeSpec, sourceOf } from './persistentvolume-spec.ts'
import { persistentVolumeRow } from './persistentvolume-row.ts'
import { timeText } from '../schema/times.ts'

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
    } else if (!status.lastPhaseTransitionTime || status.lastPhaseTransitionTime === before.lastPhaseTransitionTime)
      status.lastPhaseTransitionTime = timeText(nowMs)
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
  warnings: (volume, _old, subresource) => (subresource === 'status' ? [] : warnings(volume)),
})

const checkSpec = (
  { metadata, spec = {} }: Frozen<PersistentVolume>,
  old: Frozen<PersistentVolume> | undefined,
  errors: FieldErrors,
): void => checkVolumeSpec(spec, { name: metadata.name ?? '', at: field('spec'), old: old?.spec }, errors)

function checkVolume(
  volume: Frozen<PersistentVolume>,
  old: Frozen<PersistentVolume> | undefined,
  errors: FieldErrors,
): void {
  checkSpec(volume, old, errors)
  const mountable = [
    'gcePersistentDisk',
    'awsElasticBlockStore',
    'glusterfs',
    'nfs',
    'rbd',
    'quobyte',
    'iscsi',
    'cinder',
    'cephfs',
    'azureFile',
    'vsphereVolume',
    'azureDisk',
    'photonPersistentDisk',
  ] as const
  if (volume.metadata.annotations?.[mountOptions] === undefined || mountable.some((name) => volume.spec?.[name])) return
  errors.forbidden(field('metadata', 'annotations', mountOptions), 'may not specify mount options for this volume type')
}

function checkChange(spec: Frozen<PersistentVolumeSpec>, old: Frozen<PersistentVolumeSpec>, errors: FieldErrors): void {
  let now = spec
  // The secret for growing a volume may be added later.
  if (old.csi && !old.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...csi } = spec.csi
    now = { ...spec, csi }
  }
  if (!equal(sourceOf(now), sourceOf(old)))
    errors.forbidden(field('spec', 'persistentvolumesource'), 'spec.persistentvolumesource is immutable after creation')
  if (spec.volumeMode !== old.volumeMode) errors.invalid(field('volumeMode'), spec.volumeMode, immutableText)
  if (
    old.nodeAffinity &&
    !equal(spec.nodeAffinity, old.nodeAffinity) &&
    !equal(spec.nodeAffinity, withNewLabels(old.nodeAffinity, spec.nodeAffinity))
  ) {
    errors.invalid(
      field('nodeAffinity'),
      spec.nodeAffinity,
      `${immutableText}, except for updating from beta label to GA`,
    )
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.forbidden(field('spec', 'volumeAttributesClassName'), 'update from non-nil value to nil is forbidden')
}

const newLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

/** The old affinity with labels renamed where the new one renames them. */
function withNewLabels(
  old: Frozen<VolumeNodeAffinity>,
  now: Frozen<VolumeNodeAffinity> | undefined,
): Frozen<VolumeNodeAffinity> {
  const rename = (
    list: readonly Frozen<NodeSelectorRequirement>[] | undefined,
    other: readonly Frozen<NodeSelectorRequirement>[] | undefined,
  ) =>
    list?.map((requirement, i) =>
      newLabels[requirement.key] === other?.[i]?.key ? { ...requirement, key: other?.[i]?.key ?? '' } : requirement,
    )
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
    ...deadAnnotations
      .filter(([key]) => metadata.annotations?.[key] !== undefined)
      .map(([key, why]) => `metadata.annotations[${key}]: ${why}`),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, i) =>
      nodeTermWarnings(term, false, field('spec', 'nodeAffinity', 'required', 'nodeSelectorTerms').index(i)),
    ),
    ...deadVolumes.filter(([name]) => spec[name]).map(([, path, why]) => `spec.${path}: ${why}`),
  ]
}
