/** The package's entry point: a cluster in this process, and what one needs to talk to it. */
export { Cluster, type ClusterOptions, type Duration } from './cluster/cluster.ts'
export type { SimulatedNode } from './cluster/simulated-node.ts'
export type { Client, DeleteOptions, ListOptions, PatchOptions, WriteOptions } from './client/client.ts'
export type { WatchEvent } from './client/transport.ts'
export type { Frozen, KubernetesObject, ObjectKey, Resource } from './api/resource.ts'
export {
  ApiError as KubernetesError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
} from './api/errors/api-error.ts'
export * from './api/generated/resources.ts'
export type * from './api/generated/types/apps-v1.ts'
export type * from './api/generated/types/autoscaling-v2.ts'
export type * from './api/generated/types/batch-v1.ts'
export type * from './api/generated/types/coordination-v1.ts'
export type * from './api/generated/types/core-v1.ts'
export type * from './api/generated/types/meta-v1.ts'
export type * from './api/generated/types/networking-v1.ts'
export type * from './api/generated/types/policy-v1.ts'
export type * from './api/generated/types/rbac-v1.ts'
export type * from './api/generated/types/scheduling-v1.ts'
export type * from './api/generated/types/storage-v1.ts'
// Groups that have a name in common with one of the above.
export type { CustomResourceDefinition } from './api/generated/types/apiextensions-v1.ts'
export type { Endpoint, EndpointSlice } from './api/generated/types/discovery-v1.ts'
