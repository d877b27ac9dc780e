import type { Kind } from '../../api/kind.ts'
import { updateManagedFields } from '../../api/apply/update-managed-fields.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { decode, normalise } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { storageOf, timeText, type Core } from '../verbs/core.ts'

/** Stores an object of the server's own making when there is none of its name. Returns whether it did. */
export async function ensureObject(core: Core, kind: Kind, object: object): Promise<boolean> {
  const storage = storageOf(core, kind)
  const metadata = (object as KubernetesObject).metadata ?? {}
  if (storage.get(metadata.namespace ?? '', metadata.name ?? '')) return false
  const nowMs = core.clock.now()
  const timed = JSON.parse(JSON.stringify(object), (name, value: unknown) => (name === 'lastTransitionTime' ? timeText(nowMs) : value)) as KubernetesObject
  const draft = decode(kind.schema, {
    ...timed,
    kind: kind.resource.kind,
    apiVersion: apiVersionOf(kind.resource),
    metadata: { ...metadata, uid: core.random.uuid(), creationTimestamp: timeText(nowMs), resourceVersion: '0', ...(kind.behaviour.generation !== false && { generation: 1 }) },
  }) as unknown as Draft
  kind.behaviour.defaults?.(draft as KubernetesObject)
  const managedFields = updateManagedFields({ schema: kind.schema, apiVersion: apiVersionOf(kind.resource), old: undefined, new: draft as Frozen<KubernetesObject>, manager: 'kube-apiserver', subresource: '', nowMs, resetFields: undefined })
  if (managedFields) draft.metadata.managedFields = managedFields
  return (await storage.create(normalise(kind.schema, draft) as unknown as Draft)) !== undefined
}
