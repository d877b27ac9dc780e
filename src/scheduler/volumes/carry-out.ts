import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../api/generated/resources.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { World } from '../framework.ts'
import { isFullyBound } from './claims.ts'
import { reaches } from './matching.ts'
import { selectedNodeAnnotation, type VolumePlan } from './volume-decisions.ts'

/** How often is looked whether volumes are bound, and for how long. Upstream waits as long. */
const lookEveryMs = 200
const bindTimeoutMs = 600_000

const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller'

/** What carrying out a plan needs. */
export interface CarryOut {
  readonly client: Client
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Writes a Pod's volume decisions and waits until the volumes are bound; throws when that cannot be any more. */
export async function carryOut(
  plan: VolumePlan,
  pod: PodInfo,
  node: NodeInfo,
  { world, client, clock, signal }: CarryOut & { readonly world: World },
): Promise<void> {
  for (const { volume, claim } of plan.bindings) await giveVolume(client, volume, claim)
  for (const { metadata } of plan.provisions) {
    const { namespace, name = '', resourceVersion } = metadata
    await client.patch(
      persistentVolumeClaims,
      { namespace, name },
      { metadata: { resourceVersion, annotations: { [selectedNodeAnnotation]: node.name } } },
      { type: 'merge' },
    )
  }
  const writtenMs = clock.now()
  for (;;) {
    if (!world.listers.pods.byKey(pod.key)) throw new Error('binding volumes: pod does not exist any more')
    // Our own writes may not be heard of yet.
    const early = clock.now() - writtenMs < lookEveryMs
    if (looksBound(plan, node, world, early)) return
    if (clock.now() - writtenMs > bindTimeoutMs) throw new Error('binding volumes: context deadline exceeded')
    await clock.sleep(lookEveryMs, signal)
  }
}

/** Sets a volume aside for a claim; the volume controller does the rest. */
async function giveVolume(
  client: Client,
  { metadata, spec }: Frozen<PersistentVolume>,
  claim: Frozen<PersistentVolumeClaim>,
): Promise<void> {
  const { namespace, name, uid, resourceVersion } = claim.metadata
  if (spec?.claimRef?.uid && spec.claimRef.uid === uid) return
  const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion }
  const annotations = spec?.claimRef ? undefined : { [boundByControllerAnnotation]: 'yes' }
  await client.patch(
    persistentVolumes,
    { name: metadata.name ?? '' },
    {
      metadata: { resourceVersion: metadata.resourceVersion, ...(annotations && { annotations }) },
      spec: { claimRef },
    },
    { type: 'merge' },
  )
}

/** Whether all is bound; throws when it will not be. `early`: what is not written yet may still come. */
function looksBound(plan: VolumePlan, node: NodeInfo, { listers }: World, early: boolean): boolean {
  let bound = true
  for (const { volume, claim } of plan.bindings) {
    const now = listers.persistentVolumes.get({ name: volume.metadata.name ?? '' })
    const claimNow = listers.persistentVolumeClaims.get({
      namespace: claim.metadata.namespace,
      name: claim.metadata.name ?? '',
    })
    if (!now || !claimNow)
      throw new Error(
        `binding volumes: failed to check binding: ${now ? 'persistentvolumeclaim' : 'persistentvolume'} is gone`,
      )
    if (!reaches(now, node.node))
      throw new Error(`binding volumes: pv "${volume.metadata.name}" node affinity doesn't match node "${node.name}"`)
    if (!early && !now.spec?.claimRef?.uid)
      throw new Error(`binding volumes: ClaimRef got reset for pv "${volume.metadata.name}"`)
    bound &&= isFullyBound(claimNow)
  }
  for (const { metadata } of plan.provisions) {
    const claim = listers.persistentVolumeClaims.get({ namespace: metadata.namespace, name: metadata.name ?? '' })
    if (!claim)
      throw new Error(
        `binding volumes: failed to check provisioning pvc: persistentvolumeclaim "${metadata.name}" not found`,
      )
    // A provisioner that fails removes the annotation: then another node is looked for.
    if (!early && claim.metadata.annotations?.[selectedNodeAnnotation] !== node.name)
      throw new Error(`binding volumes: provisioning failed for PVC "${metadata.name}"`)
    const volume = claim.spec?.volumeName ? listers.persistentVolumes.get({ name: claim.spec.volumeName }) : undefined
    if (volume && !reaches(volume, node.node))
      throw new Error(`binding volumes: pv "${volume.metadata.name}" node affinity doesn't match node "${node.name}"`)
    bound &&= isFullyBound(claim) && volume !== undefined
  }
  return bound
}
