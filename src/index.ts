/** The package's entry point: a cluster in this process, and what one needs to talk to it. */
export { Cluster, type ClusterOptions, type Duration } from './cluster/cluster.ts'
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
