import { updateManagedFields } from '../../api/apply/update-managed-fields.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { decode, normalise } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { storageOf, type Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'

/** Stores an object of the server's own making when there is none of its name. Returns whether it did. */
export async function ensureObject(core: Core, kind: Kind, object: object): Promise<boolean> {
  const storage = storageOf(core, kind)
  const { namespace = '', name = '' } = (object as KubernetesObject).metadata ?? {}
  if (storage.get(namespace, name)) return false
  return (await storage.create(dated(templateOf(kind, object), core))) !== undefined
}

/** What an object looks like but for its UID and times: worked out once, since a process of tests starts many servers. */
const templates = new WeakMap<object, Draft>()

/** Stands for the time of a start. */
const someTime = '2000-01-01T00:00:00Z'

function templateOf(kind: Kind, object: object): Draft {
  const known = templates.get(object)
  if (known) return known
  const { metadata = {} } = object as KubernetesObject
  const draft = decode(kind.schema, {
    ...object,
    kind: kind.resource.kind,
    apiVersion: apiVersionOf(kind.resource),
    metadata: {
      ...metadata,
      uid: 'uid',
      creationTimestamp: someTime,
      resourceVersion: '0',
      ...(kind.behaviour.generation !== false && { generation: 1 }),
    },
  }) as unknown as Draft
  kind.behaviour.defaults?.(draft as KubernetesObject)
  const fields = updateManagedFields({
    schema: kind.schema,
    apiVersion: apiVersionOf(kind.resource),
    old: undefined,
    new: draft as Frozen<KubernetesObject>,
    manager: 'kube-apiserver',
    subresource: '',
    nowMs: 0,
  })
  if (fields) draft.metadata.managedFields = fields
  const template = normalise(kind.schema, draft) as unknown as Draft
  templates.set(object, template)
  return template
}

function dated(template: Draft, { clock, random }: Core): Draft {
  const now = timeText(clock.now())
  const { metadata } = template
  const { status } = template as { status?: { conditions?: readonly { lastTransitionTime?: string | null }[] } }
  return {
    ...template,
    metadata: {
      ...metadata,
      uid: random.uuid(),
      creationTimestamp: now,
      ...(metadata.managedFields && {
        managedFields: metadata.managedFields.map((field) => ({ ...field, time: now })),
      }),
    },
    ...(status?.conditions && {
      status: {
        ...status,
        conditions: status.conditions.map((condition) => ({ ...condition, lastTransitionTime: now })),
      },
    }),
  } as Draft
}
