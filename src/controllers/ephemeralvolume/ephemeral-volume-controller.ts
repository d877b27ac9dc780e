import { persistentVolumeClaims, pods } from '../../api/generated/resources.ts'
import type { Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { controllerReference, isBeingDeleted, isControlledBy, nameOf, namespaceOf } from '../../client/object.ts'
import { messageOf } from '../framework/context.ts'
import { defineController, done, ownedBy, type Context, type Outcome } from '../framework/controller.ts'

/** Makes the claims of pods' ephemeral volumes; they go with their pod. */
export const ephemeralVolumeController = defineController<Pod>({
  name: 'ephemeral-volume-controller',
  component: 'ephemeral_volume',
  reconciles: pods,
  // A pod's volumes never change.
  matters: (pod, old) => isBeingDeleted(pod) !== isBeingDeleted(old),
  watches: [ownedBy(pods, persistentVolumeClaims)],
  events: ['FailedBinding'],
  parallel: 5,
  reconcile,
})

async function reconcile(pod: Frozen<Pod>, c: Context<Pod>): Promise<Outcome> {
  if (isBeingDeleted(pod)) return done
  for (const volume of pod.spec?.volumes ?? []) if (volume.ephemeral) await ensureClaim(pod, volume, c)
  return done
}

async function ensureClaim(pod: Frozen<Pod>, volume: Frozen<Volume>, c: Context<Pod>): Promise<void> {
  const key = { namespace: namespaceOf(pod), name: `${nameOf(pod)}-${volume.name}` }
  const there = c.of(persistentVolumeClaims).get(key)
  if (there && isControlledBy(there, pod)) return
  c.metrics
    .counter('ephemeral_volume_controller_create_total', 'Number of PersistentVolumeClaim creation requests')
    .add()
  try {
    if (there)
      throw new Error(
        `PVC ${key.namespace}/${key.name} was not created for pod ${key.namespace}/${nameOf(pod)} (pod is not owner)`,
      )
    const template = volume.ephemeral?.volumeClaimTemplate
    const { labels, annotations } = template?.metadata ?? {}
    await c.client.create(persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...key,
        ...(labels && { labels }),
        ...(annotations && { annotations }),
        ownerReferences: [controllerReference(pods, pod)],
      },
      ...(template?.spec && { spec: template.spec }),
    })
  } catch (error) {
    c.metrics
      .counter('ephemeral_volume_controller_create_failures_total', 'Number of PersistentVolumeClaim creation requests')
      .add()
    c.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${messageOf(error)}`)
    throw error
  }
}
