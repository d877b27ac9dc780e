import { persistentVolumeClaims, persistentVolumes } from '../../api/generated/resources.ts'
import { isNotFound } from '../../api/errors/api-error.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'

/** A claim with the volume that it is bound to. */
export interface BoundClaim {
  readonly claim: Frozen<PersistentVolumeClaim>
  readonly volume: Frozen<PersistentVolume>
}

/** The claim of a pod's volume: its own name, or the pod's and the volume's for an ephemeral one. */
export const claimName = (pod: Frozen<Pod>, volume: Frozen<Volume>): string | undefined =>
  volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined)

/** Finds what a claim is bound to. Throws, in upstream's words, while it is not. */
export async function boundClaim(client: Client, pod: Frozen<Pod>, name: string): Promise<BoundClaim> {
  const { namespace } = pod.metadata
  const fault = (why: string, cause?: unknown) =>
    new Error(`error processing PVC ${namespace}/${name}: ${why}`, { cause })
  const claim = await client.get(persistentVolumeClaims, { namespace, name }).catch((error: unknown) => {
    throw fault(`failed to fetch PVC from API server: ${(error as Error).message}`, error)
  })
  if (claim.metadata.deletionTimestamp && !pod.metadata.deletionTimestamp) throw fault('PVC is being deleted')
  const volumeName = claim.spec?.volumeName
  if (claim.status?.phase !== 'Bound' || !volumeName) throw fault('PVC is not bound')
  const volume = await client.get(persistentVolumes, { name: volumeName }).catch((error: unknown) => {
    throw fault(
      isNotFound(error)
        ? `PV ${volumeName} is gone`
        : `failed to fetch PV ${volumeName} from API server: ${(error as Error).message}`,
      error,
    )
  })
  if (volume.spec?.claimRef?.uid !== claim.metadata.uid) throw fault(`found PV ${volumeName} bound to another claim`)
  return { claim, volume }
}
