import type { OwnerReference } from '../api/generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../api/resource.ts'
import { apiVersionOf } from '../api/resource.ts'
import { timeText } from '../api/schema/times.ts'

/** An object's name; '' before the server has made one. */
export const nameOf = (object: Frozen<KubernetesObject>): string => object.metadata?.name ?? ''

/** An object's namespace; '' for cluster-scoped kinds. */
export const namespaceOf = (object: Frozen<KubernetesObject>): string => object.metadata?.namespace ?? ''

/** An object's UID; '' before it is stored. */
export const uidOf = (object: Frozen<KubernetesObject>): string => object.metadata?.uid ?? ''

/** An object's labels. */
export const labelsOf = (object: Frozen<KubernetesObject>): Readonly<Record<string, string>> =>
  object.metadata?.labels ?? {}

/** An object's annotations. */
export const annotationsOf = (object: Frozen<KubernetesObject>): Readonly<Record<string, string>> =>
  object.metadata?.annotations ?? {}

/** Deletion has begun: the object waits for its finalizers or its grace period. */
export const isBeingDeleted = (object: Frozen<KubernetesObject>): boolean =>
  object.metadata?.deletionTimestamp !== undefined

/** The owner that manages the object, if there is one. */
export const controllerOf = (object: Frozen<KubernetesObject>): Frozen<OwnerReference> | undefined =>
  object.metadata?.ownerReferences?.find(({ controller }) => controller)

/** Whether `owner` manages the object. */
export const isControlledBy = (object: Frozen<KubernetesObject>, owner: Frozen<KubernetesObject>): boolean =>
  controllerOf(object)?.uid === uidOf(owner)

/** The reference by which a new object says that `owner` manages it. */
export const controllerReference = (resource: Resource, owner: Frozen<KubernetesObject>): OwnerReference => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  name: nameOf(owner),
  uid: uidOf(owner),
  controller: true,
  blockOwnerDeletion: true,
})

/** A resource version as a number that can be compared; 0n when it is none. Versions of one resource are ordered, across restarts too. */
export const versionNumber = (resourceVersion: string | undefined): bigint =>
  resourceVersion && /^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n

/** The API's timestamps, as components write them: RFC 3339 in seconds. */
export const timestamp: (ms: number) => string = timeText

/** Timestamps in microseconds, as leases and new events have them. */
export const microTimestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`

/** Milliseconds since the epoch of a timestamp. */
export const msOf = (time: string): number => Date.parse(time)
