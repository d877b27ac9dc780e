import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../api/resource.ts'
import { apiVersionOf, keyOf } from '../api/resource.ts'
import { collectionPath, itemPath } from './path.ts'
import type { Transport, TransportRequest, WatchEvent } from './transport.ts'

/** A typed client: what every component works through. Answers are frozen; a failure is an `ApiError`. */
export interface Client {
  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: ReadOptions): Promise<Frozen<T>>
  list<T extends KubernetesObject>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>
  watch<T extends KubernetesObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<Frozen<T>>>
  create<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options?: WriteOptions,
  ): Promise<Frozen<T>>
  update<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options?: WriteOptions,
  ): Promise<Frozen<T>>
  /** Writes the status subresource; with the object's resource version as precondition when it has one. */
  updateStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options?: WriteOptions,
  ): Promise<Frozen<T>>
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: unknown,
    options: PatchOptions,
  ): Promise<Frozen<T>>
  /** Server-side apply. */
  apply<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>, options: ApplyOptions): Promise<Frozen<T>>
  delete<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>
  deleteCollection<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions & DeleteOptions,
  ): Promise<void>
  /** GET of a subresource such as `scale`. */
  getSubresource<Answer>(
    resource: Resource,
    key: ObjectKey,
    subresource: string,
    options?: ReadOptions,
  ): Promise<Answer>
  /** POST to a subresource: `binding`, `eviction`, `token`, or a review kind's collection when `key.name` is ''. What takes more than that (a dry run, a signal) goes by `send`. */
  createSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, body: unknown): Promise<Answer>
  /** PUT of a subresource other than status: `scale`, `finalize`, `approval`, `ephemeralcontainers`, `resize`. */
  updateSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, body: unknown): Promise<Answer>
  /** Any request, as it is: discovery, non-resource paths. */
  send<Answer>(request: TransportRequest, signal?: AbortSignal): Promise<Answer>
}

/** What a client puts into its requests. */
export interface ClientOptions {
  /** The field manager of writes that name none; upstream takes the program's name from the user agent. */
  readonly fieldManager?: string
}

/** A client over a transport, in process or HTTPS. */
export const newClient = (transport: Transport, options: ClientOptions = {}): Client =>
  new TransportClient(transport, options)

/** How one object is read. */
export interface ReadOptions {
  readonly signal?: AbortSignal
  readonly resourceVersion?: string
}

/** Which objects are read. */
export interface ListOptions {
  readonly signal?: AbortSignal
  /** Only metadata is wanted (PartialObjectMetadata): a hint that an in-process transport ignores. */
  readonly metadataOnly?: boolean
  /** `managedFields` may be missing: for caches. */
  readonly trimmed?: boolean
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact'
}

/** Which objects are watched, and from when. */
export interface WatchOptions extends ListOptions {
  readonly signal: AbortSignal
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

/** How something is written. */
export interface WriteOptions {
  readonly signal?: AbortSignal
  readonly fieldManager?: string
  readonly dryRun?: boolean
}

/** How something is patched. */
export interface PatchOptions extends WriteOptions {
  readonly type: 'strategic' | 'merge' | 'json'
  readonly subresource?: string
}

/** As whom, and how firmly, something is applied. */
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  readonly force?: boolean
  readonly subresource?: string
}

/** How something is deleted, and on which conditions. */
export interface DeleteOptions {
  readonly signal?: AbortSignal
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  readonly uid?: string
  readonly resourceVersion?: string
}

/** Objects, and the resource version at which they were like this. */
export interface List<T> {
  readonly items: readonly Frozen<T>[]
  readonly resourceVersion: string
  readonly continue?: string
}

const patchTypes = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const

class TransportClient implements Client {
  readonly #transport: Transport
  readonly #options: ClientOptions

  constructor(transport: Transport, options: ClientOptions) {
    this.#transport = transport
    this.#options = options
  }

  send<Answer>(request: TransportRequest, signal?: AbortSignal): Promise<Answer> {
    return this.#transport.send(request, signal) as Promise<Answer>
  }

  get<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: ReadOptions = {},
  ): Promise<Frozen<T>> {
    const query: Record<string, string> =
      options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }
    return this.send({ method: 'GET', path: itemPath(resource, key), query }, options.signal)
  }

  async list<T extends KubernetesObject>(resource: Resource<T>, options: ListOptions = {}): Promise<List<T>> {
    const request: TransportRequest = {
      method: 'GET',
      path: collectionPath(resource, options.namespace),
      query: listQuery(options),
      ...(options.metadataOnly && { accept: partialList }),
      ...(options.trimmed && { trimmed: true }),
    }
    const answer = await this.send<{
      metadata?: { resourceVersion?: string; continue?: string }
      items?: readonly Frozen<T>[]
    }>(request, options.signal)
    return {
      items: answer.items ?? [],
      resourceVersion: answer.metadata?.resourceVersion ?? '',
      ...(answer.metadata?.continue && { continue: answer.metadata.continue }),
    }
  }

  watch<T extends KubernetesObject>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<Frozen<T>>> {
    const query: Record<string, string> = { ...listQuery(options), watch: 'true' }
    if (options.allowWatchBookmarks) query['allowWatchBookmarks'] = 'true'
    if (options.sendInitialEvents) {
      query['sendInitialEvents'] = 'true'
      query['resourceVersionMatch'] = 'NotOlderThan'
    }
    if (options.timeoutSeconds !== undefined) query['timeoutSeconds'] = String(options.timeoutSeconds)
    const request: TransportRequest = {
      method: 'GET',
      path: collectionPath(resource, options.namespace),
      query,
      ...(options.metadataOnly && { accept: partialObject }),
      ...(options.trimmed && { trimmed: true }),
    }
    // The objects of a resource's path have the resource's type: the transport does not know it.
    return this.#transport.watch(request, options.signal) as AsyncIterable<WatchEvent<Frozen<T>>>
  }

  create<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options: WriteOptions = {},
  ): Promise<Frozen<T>> {
    const path = collectionPath(resource, resource.namespaced ? object.metadata?.namespace : undefined)
    return this.#write('POST', path, typed(resource, object), options)
  }

  update<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options: WriteOptions = {},
  ): Promise<Frozen<T>> {
    return this.#write('PUT', itemPath(resource, keyOf(object)), typed(resource, object), options)
  }

  updateStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options: WriteOptions = {},
  ): Promise<Frozen<T>> {
    return this.#write('PUT', itemPath(resource, keyOf(object), 'status'), typed(resource, object), options)
  }

  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: unknown,
    options: PatchOptions,
  ): Promise<Frozen<T>> {
    const path = itemPath(resource, key, options.subresource)
    return this.send(
      { method: 'PATCH', path, query: this.#writeQuery(options), contentType: patchTypes[options.type], body: patch },
      options.signal,
    )
  }

  apply<T extends KubernetesObject>(
    resource: Resource<T>,
    object: Frozen<T>,
    options: ApplyOptions,
  ): Promise<Frozen<T>> {
    const query = { ...this.#writeQuery(options), ...(options.force && { force: 'true' }) }
    const path = itemPath(resource, keyOf(object), options.subresource)
    return this.send(
      { method: 'PATCH', path, query, contentType: 'application/apply-patch+yaml', body: typed(resource, object) },
      options.signal,
    )
  }

  async delete<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.send({ method: 'DELETE', path: itemPath(resource, key), body: deleteBody(options) }, options.signal)
  }

  async deleteCollection<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions & DeleteOptions,
  ): Promise<void> {
    const { resourceVersion: _, ...selection } = options
    await this.send(
      {
        method: 'DELETE',
        path: collectionPath(resource, options.namespace),
        query: listQuery(selection),
        body: deleteBody(options),
      },
      options.signal,
    )
  }

  getSubresource<Answer>(
    resource: Resource,
    key: ObjectKey,
    subresource: string,
    options: ReadOptions = {},
  ): Promise<Answer> {
    return this.send({ method: 'GET', path: itemPath(resource, key, subresource) }, options.signal)
  }

  createSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, body: unknown): Promise<Answer> {
    const path = key.name === '' ? collectionPath(resource, key.namespace) : itemPath(resource, key, subresource)
    return this.#write('POST', path, body)
  }

  updateSubresource<Answer>(resource: Resource, key: ObjectKey, subresource: string, body: unknown): Promise<Answer> {
    return this.#write('PUT', itemPath(resource, key, subresource), body)
  }

  #write<Answer>(method: 'POST' | 'PUT', path: string, body: unknown, options: WriteOptions = {}): Promise<Answer> {
    return this.send({ method, path, query: this.#writeQuery(options), body }, options.signal)
  }

  #writeQuery(options: WriteOptions): Record<string, string> {
    const fieldManager = options.fieldManager ?? this.#options.fieldManager
    return { ...(fieldManager && { fieldManager }), ...(options.dryRun && { dryRun: 'All' }) }
  }
}

const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
const partialObject = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'

/** The object with its `apiVersion` and `kind`: authors may leave them out, servers insist. */
function typed<T extends KubernetesObject>(resource: Resource<T>, object: Frozen<T>): unknown {
  return object.kind && object.apiVersion
    ? object
    : { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object }
}

function listQuery(options: ListOptions): Record<string, string> {
  const query: Record<string, string> = {}
  if (options.labelSelector) query['labelSelector'] = options.labelSelector
  if (options.fieldSelector) query['fieldSelector'] = options.fieldSelector
  if (options.limit) query['limit'] = String(options.limit)
  if (options.continue) query['continue'] = options.continue
  if (options.resourceVersion) query['resourceVersion'] = options.resourceVersion
  if (options.resourceVersionMatch) query['resourceVersionMatch'] = options.resourceVersionMatch
  return query
}

function deleteBody(options: DeleteOptions): unknown {
  const { gracePeriodSeconds, propagationPolicy, uid, resourceVersion } = options
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy && { propagationPolicy }),
    ...((uid ?? resourceVersion) && {
      preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    }),
  }
}
