import { persistentVolumeClaims, pods } from '../../api/generated/resources.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf, namespaceOf } from '../../client/object.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'

const finalizer = 'kubernetes.io/pvc-protection'
const claimIndex = 'claims'

/** Keeps claims that pods use from going away under them. */
export const persistentVolumeClaimProtectionController = defineController<PersistentVolumeClaim>({
  name: 'persistentvolumeclaim-protection-controller',
  reconciles: persistentVolumeClaims,
  watches: [watch(pods, claimKeysOf)],
  parallel: 5,
  setup: (c) => c.of(pods).index(claimIndex, claimKeysOf),
  reconcile,
})

/** The claims that a pod names, and those that are made for it. */
export function claimKeysOf(pod: Frozen<Pod>): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    const name =
      volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${nameOf(pod)}-${volume.name}` : undefined)
    return name === undefined ? [] : [`${namespaceOf(pod)}/${name}`]
  })
}

async function reconcile(claim: Frozen<PersistentVolumeClaim>, c: Context<PersistentVolumeClaim>): Promise<Outcome> {
  const finalizers = claim.metadata.finalizers ?? []
  const protectedNow = finalizers.includes(finalizer)
  if (isBeingDeleted(claim)) {
    if (!protectedNow || (await isUsed(claim, c))) return done
    await write(
      claim,
      finalizers.filter((name) => name !== finalizer),
      c,
    )
  } else if (!protectedNow) await write(claim, [...finalizers, finalizer], c)
  return done
}

/** A pod that has no node yet will not be started with a claim that is going. */
async function isUsed(claim: Frozen<PersistentVolumeClaim>, c: Context<PersistentVolumeClaim>): Promise<boolean> {
  const key = `${namespaceOf(claim)}/${nameOf(claim)}`
  const uses = (pod: Frozen<Pod>) => pod.spec?.nodeName !== undefined && claimKeysOf(pod).includes(key)
  if (c.of(pods).by(claimIndex, key).some(uses)) return true
  // The cache may not show the newest pod: the server decides.
  return (await c.client.list(pods, { namespace: namespaceOf(claim) })).items.some(uses)
}

async function write(
  claim: Frozen<PersistentVolumeClaim>,
  finalizers: readonly string[],
  c: Context<PersistentVolumeClaim>,
): Promise<void> {
  c.wroteSelf(await c.client.update(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, finalizers } }))
}
