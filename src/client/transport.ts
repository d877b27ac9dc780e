import type { KubernetesObject, Frozen } from '../api/resource.ts'

/** One API request, whoever carries it. In one process `body` and the answer pass by reference and frozen; otherwise they are JSON over HTTPS. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** '/api/v1/namespaces/default/pods/web' */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Of the body; `application/json` when absent. Patches name their type. */
  readonly contentType?: string
  /** The representation asked for, where it is not plain JSON (PartialObjectMetadata); an in-process transport may answer with the whole object. */
  readonly accept?: string
  /** The caller keeps the objects and has no use for `managedFields`, which are half of them; an in-process transport gives its own objects all the same. */
  readonly trimmed?: boolean
  /** Who asks, by bearer token, where one transport carries the requests of several users; absent: the transport's own user. */
  readonly token?: string
  readonly body?: unknown
}

/** What a watch tells. An expired watch ends by throwing an `ApiError` of code 410. */
export interface WatchEvent<T = Frozen<KubernetesObject>> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: T
}

/** Carries requests to an API server as one user. Every failed request rejects with an `ApiError`; an unreachable server with an error that is none. */
export interface Transport {
  send(request: TransportRequest, signal?: AbortSignal): Promise<unknown>
  /** Events as they come; ends when the server ends the watch or the signal is aborted (then without an error). */
  watch(request: TransportRequest, signal: AbortSignal): AsyncIterable<WatchEvent>
  close(): Promise<void>
}
