import { classOf, isVolumeFor } from '../../api/core/claim-binding.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../api/generated/resources.ts'
import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { StorageClass } from '../../api/generated/types/storage-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { defineController, done, requeueAfter, watch, type Context, type Outcome } from '../framework/controller.ts'
import { bestVolume, mismatch, namesClass } from './volume-matching.ts'
import {
  bind,
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  selectedNodeAnnotation,
  setClaimPhase,
} from './volume-binding.ts'

type Claim = Frozen<PersistentVolumeClaim>
type C = Context<PersistentVolumeClaim>

const provisionerAnnotations = [
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
]
const defaultClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]
const noProvisioner = 'kubernetes.io/no-provisioner'

/** Finds a volume for each claim, or asks a provisioner for one. */
export const claimBinder = defineController<PersistentVolumeClaim>({
  name: 'claims',
  component: 'persistentvolume-controller',
  reconciles: persistentVolumeClaims,
  watches: [
    watch(persistentVolumes, (volume, { informers }) => {
      const reference = volume.spec?.claimRef
      if (reference) return [`${reference.namespace}/${reference.name}`]
      return informers
        .of(persistentVolumeClaims)
        .list()
        .filter(({ spec }) => !spec?.volumeName || spec.volumeName === nameOf(volume))
        .map((claim) => `${namespaceOf(claim)}/${nameOf(claim)}`)
    }),
    watch(storageClasses, (_class, { informers }) =>
      informers
        .of(persistentVolumeClaims)
        .list()
        .filter(({ status }) => status?.phase !== 'Bound')
        .map((claim) => `${namespaceOf(claim)}/${nameOf(claim)}`),
    ),
  ],
  events: [
    'FailedBinding',
    'WaitForFirstConsumer',
    'WaitForPodScheduled',
    'ExternalProvisioning',
    'ProvisioningFailed',
    'VolumeMismatch',
    'ClaimLost',
    'ClaimMisbound',
  ],
  // One at a time: two claims must not choose one volume.
  parallel: 1,
  reconcile,
})

async function reconcile(claim: Claim, c: C): Promise<Outcome> {
  if (isBeingDeleted(claim) && claim.status?.phase !== 'Bound') return done
  if (!c.caughtUp(claim)) return done
  return annotationsOf(claim)[bindCompletedAnnotation] === undefined ? bindClaim(claim, c) : keepBound(claim, c)
}

async function bindClaim(claim: Claim, c: C): Promise<Outcome> {
  const name = claim.spec?.volumeName
  if (!name) return findVolume(claim, c)
  const volume = c.of(persistentVolumes).get({ name })
  if (!volume) return pend(claim, c)
  if (isVolumeFor(volume, claim)) return bindTo(volume, claim, c)
  if (volume.spec?.claimRef) {
    c.event(claim, 'Warning', 'FailedBinding', `volume "${name}" already bound to a different claim.`)
    if (annotationsOf(claim)[boundByControllerAnnotation] !== undefined)
      throw new Error(
        `invalid binding of claim ${nameOf(claim)} to volume "${name}": volume already claimed by ${volume.spec.claimRef.name}`,
      )
    return pend(claim, c)
  }
  const why = mismatch(volume, claim)
  if (why === undefined) return bindTo(volume, claim, c)
  c.event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`)
  return pend(claim, c)
}

async function findVolume(claim: Claim, c: C): Promise<Outcome> {
  const storageClass = c.of(storageClasses).get({ name: classOf(claim) })
  const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const volume = bestVolume(claim, c.of(persistentVolumes).list(), waits)
  if (volume) return bindTo(volume, claim, c)
  const fallback = namesClass(claim) ? undefined : defaultClass(c.of(storageClasses).list())
  if (fallback) {
    c.metrics
      .counter(
        'retroactive_storageclass_total',
        'Total number of retroactive StorageClass assignments to persistent volume claim',
      )
      .add()
    c.wroteSelf(
      await c.client.update(persistentVolumeClaims, {
        ...claim,
        spec: { ...claim.spec, storageClassName: nameOf(fallback) },
      }),
    )
    return done
  }
  if (waits && annotationsOf(claim)[selectedNodeAnnotation] === undefined)
    c.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  else if (classOf(claim) !== '') return provision(claim, storageClass, c)
  else
    c.event(
      claim,
      'Normal',
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
    )
  return pend(claim, c)
}

/** Tells the provisioner of the class that it is its turn, by an annotation on the claim. */
async function provision(claim: Claim, storageClass: Frozen<StorageClass> | undefined, c: C): Promise<Outcome> {
  if (!storageClass) {
    c.event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${classOf(claim)}" not found`)
    return pend(claim, c)
  }
  const { provisioner } = storageClass
  if (provisioner === noProvisioner) {
    c.event(
      claim,
      'Normal',
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
    )
    return pend(claim, c)
  }
  const annotations = {
    ...annotationsOf(claim),
    ...Object.fromEntries(provisionerAnnotations.map((name) => [name, provisioner])),
  }
  let current = claim
  if (provisionerAnnotations.some((name) => annotationsOf(claim)[name] !== provisioner)) {
    current = await c.client.update(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations } })
    c.wroteSelf(current)
  }
  c.event(
    claim,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  )
  return pend(current, c)
}

/** The newest class that is marked as the default. */
function defaultClass(classes: readonly Frozen<StorageClass>[]): Frozen<StorageClass> | undefined {
  const marked = classes.filter((storageClass) =>
    defaultClassAnnotations.some((name) => annotationsOf(storageClass)[name] === 'true'),
  )
  return marked.sort((a, b) =>
    (a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '')
      ? -1
      : (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '')
        ? 1
        : nameOf(a) < nameOf(b)
          ? -1
          : 1,
  )[0]
}

/** The claim was bound: it stays so, or what it had is lost. */
async function keepBound(claim: Claim, c: C): Promise<Outcome> {
  const name = claim.spec?.volumeName
  if (!name)
    return lose(
      claim,
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
      c,
    )
  const volume = c.of(persistentVolumes).get({ name })
  if (!volume)
    return lose(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!', c)
  const reference = volume.spec?.claimRef
  if (reference && reference.uid && reference.uid !== uidOf(claim))
    return lose(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly', c)
  return bindTo(volume, claim, c)
}

async function bindTo(volume: Parameters<typeof bind>[1], claim: Claim, c: C): Promise<Outcome> {
  const bound = await bind(c.client, volume, claim)
  c.wrote(claim, persistentVolumes, bound.volume)
  c.wroteSelf(bound.claim)
  return done
}

async function lose(claim: Claim, reason: string, message: string, c: C): Promise<Outcome> {
  if (claim.status?.phase === 'Lost') return done
  c.wroteSelf(await setClaimPhase(c.client, claim, 'Lost'))
  c.event(claim, 'Warning', reason, message)
  return done
}

async function pend(claim: Claim, c: C): Promise<Outcome> {
  const pending = await setClaimPhase(c.client, claim, 'Pending')
  if (pending !== claim) c.wroteSelf(pending)
  // Events of others may be missed; upstream looks again as often.
  return requeueAfter(c.options.pvClaimBinderSyncPeriodMs)
}
