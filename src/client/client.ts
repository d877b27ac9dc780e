import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../api/resource.ts'
import type { WatchEvent } from './transport.ts'

/** A typed client: what every component works through. Answers are frozen; a failure is an `ApiError`. */
export interface Client {
  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: ReadOptions): Promise<Frozen<T>>
  list<T extends KubernetesObject>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>
  watch<T extends KubernetesObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<Frozen<T>>>
  create<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>, options?: WriteOptions): Promise<Frozen<T>>
  update<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>, options?: WriteOptions): Promise<Frozen<T>>
  /** Writes the status subresource; with the object's resource version as precondition when it has one. */
  updateStatus<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>, options?: WriteOptions): Promise<Frozen<T>>
  patch<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, patch: unknown, options: PatchOptions): Promise<Frozen<T>>
  /** Server-side apply. */
  apply<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>, options: ApplyOptions): Promise<Frozen<T>>
  delete<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>
  deleteCollection<T extends KubernetesObject>(resource: Resource<T>, options: ListOptions & DeleteOptions): Promise<void>
  /** GET of a subresource such as `scale`. */
  getSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, options?: ReadOptions): Promise<Answer>
  /** POST to a subresource: `binding`, `eviction`, `token`, or a review kind's collection when `key.name` is ''. */
  createSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, body: unknown, options?: WriteOptions): Promise<Answer>
  /** PUT of a subresource other than status: `scale`, `finalize`, `approval`, `ephemeralcontainers`, `resize`. */
  updateSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, body: unknown, options?: WriteOptions): Promise<Answer>
}

export interface ReadOptions {
  readonly signal?: AbortSignal
  readonly resourceVersion?: string
}

export interface ListOptions {
  readonly signal?: AbortSignal
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
}

export interface WatchOptions extends ListOptions {
  readonly signal: AbortSignal
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

export interface WriteOptions {
  readonly signal?: AbortSignal
  readonly fieldManager?: string
  readonly dryRun?: boolean
}

export interface PatchOptions extends WriteOptions {
  readonly type: 'strategic' | 'merge' | 'json'
  readonly subresource?: string
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  readonly force?: boolean
  readonly subresource?: string
}

export interface DeleteOptions {
  readonly signal?: AbortSignal
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface List<T> {
  readonly items: readonly Frozen<T>[]
  readonly resourceVersion: string
  readonly continue?: string
}
