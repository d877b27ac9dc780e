import { persistentVolumeClaims, persistentVolumes } from '../../api/generated/resources.ts'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'
import { annotationsOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { same } from '../framework/equality.ts'

type Claim = Frozen<PersistentVolumeClaim>
type Volume = Frozen<PersistentVolume>

/** Annotations of volumes and claims. */
export const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller'
export const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed'
export const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by'
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node'

/** Both, as they are after binding. */
export interface Bound {
  readonly volume: Volume
  readonly claim: Claim
}

/** Binds a claim and a volume to each other, in four writes of which each may be the last before a crash: the volume first, which settles who has it. */
export async function bind(client: Client, volume: Volume, claim: Claim): Promise<Bound> {
  const taken = await claimVolume(client, volume, claim)
  const boundVolume = await setVolumePhase(client, taken, 'Bound', '')
  const named = await nameVolume(client, boundVolume, claim)
  return { volume: boundVolume, claim: await setClaimBound(client, boundVolume, named) }
}

async function claimVolume(client: Client, volume: Volume, claim: Claim): Promise<Volume> {
  const had = volume.spec?.claimRef
  if (had && had.uid === uidOf(claim)) return volume
  const claimRef = {
    kind: 'PersistentVolumeClaim',
    apiVersion: 'v1',
    namespace: namespaceOf(claim),
    name: nameOf(claim),
    uid: uidOf(claim),
    ...(claim.metadata.resourceVersion && { resourceVersion: claim.metadata.resourceVersion }),
  }
  const annotations = had ? annotationsOf(volume) : { ...annotationsOf(volume), [boundByControllerAnnotation]: 'yes' }
  return client.update(persistentVolumes, {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...volume.spec, claimRef },
  })
}

async function nameVolume(client: Client, volume: Volume, claim: Claim): Promise<Claim> {
  const annotations: Record<string, string> = { ...annotationsOf(claim), [bindCompletedAnnotation]: 'yes' }
  const named = claim.spec?.volumeName === nameOf(volume)
  if (!named) annotations[boundByControllerAnnotation] = 'yes'
  if (named && same(annotations, annotationsOf(claim))) return claim
  return client.update(persistentVolumeClaims, {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: nameOf(volume) },
  })
}

async function setClaimBound(client: Client, volume: Volume, claim: Claim): Promise<Claim> {
  const vac = volume.spec?.volumeAttributesClassName
  // A resize under way has its own idea of the capacity; only a claim that was not bound takes over the volume's.
  const capacity =
    claim.status?.phase === 'Bound' && claim.status.capacity ? claim.status.capacity : volume.spec?.capacity
  const status: Frozen<PersistentVolumeClaimStatus> = {
    ...claim.status,
    phase: 'Bound',
    ...(volume.spec?.accessModes && { accessModes: volume.spec.accessModes }),
    ...(capacity && { capacity }),
    ...(vac !== undefined && claim.status?.phase !== 'Bound' && { currentVolumeAttributesClassName: vac }),
  }
  return same(status, claim.status) ? claim : client.updateStatus(persistentVolumeClaims, { ...claim, status })
}

/** Writes a volume's phase where it is another one. */
export async function setVolumePhase(client: Client, volume: Volume, phase: string, message: string): Promise<Volume> {
  if (volume.status?.phase === phase && (volume.status.message ?? '') === message) return volume
  return client.updateStatus(persistentVolumes, {
    ...volume,
    status: { phase, ...(message && { message }) },
  })
}

/** Writes a claim's phase where it is another one. A claim that is not bound has nothing. */
export async function setClaimPhase(client: Client, claim: Claim, phase: 'Pending' | 'Lost'): Promise<Claim> {
  if (claim.status?.phase === phase) return claim
  const { accessModes: _modes, capacity: _capacity, ...rest } = claim.status ?? {}
  return client.updateStatus(persistentVolumeClaims, { ...claim, status: { ...rest, phase } })
}

/** Takes a claim off a volume: a reference that the controller put there goes wholly, one that the author wrote only loses what binding added. */
export async function unbind(client: Client, volume: Volume): Promise<Volume> {
  const { [boundByControllerAnnotation]: byController, ...annotations } = annotationsOf(volume)
  const { claimRef, ...spec } = volume.spec ?? {}
  const { uid: _uid, resourceVersion: _version, ...reserved } = claimRef ?? {}
  const next = {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: byController === undefined ? { ...spec, claimRef: reserved } : spec,
  }
  return setVolumePhase(client, await client.update(persistentVolumes, next), 'Available', '')
}
