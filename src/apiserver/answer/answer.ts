import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { CachedObject, CacheWatchOptions, ObjectCache } from '../cache/cache.ts'
import type { Document } from '../cache/document.ts'

/** What a request comes to, before a transport writes it: bytes over HTTPS in the form that the client asked for, objects by reference in one process. */
export type Answer = ObjectAnswer | ListAnswer | WatchAnswer | ValueAnswer | RawAnswer | TakenAnswer

/** One stored object. */
export interface ObjectAnswer {
  readonly type: 'object'
  readonly code: number
  /** The kind, in the version that the client speaks. */
  readonly kind: Kind
  /** In the version in which it is stored. */
  readonly document: Document
}

/** Stored objects. */
export interface ListAnswer {
  readonly type: 'list'
  readonly kind: Kind
  readonly entries: readonly CachedObject[]
  readonly resourceVersion: string
  readonly continue: string
  readonly remaining: number | undefined
}

/** A watch that is to be started. */
export interface WatchAnswer {
  readonly type: 'watch'
  readonly kind: Kind
  readonly cache: ObjectCache
  readonly options: CacheWatchOptions
  readonly timeoutMs: number
}

/** An object that is not stored: a Status, a Scale, a review. */
export interface ValueAnswer {
  readonly type: 'value'
  readonly code: number
  readonly value: Frozen<KubernetesObject>
}

/** Text or bytes of their own form. */
export interface RawAnswer {
  readonly type: 'raw'
  readonly code: number
  readonly contentType: string
  readonly body: string | Uint8Array
  readonly headers?: readonly string[]
  /** Absent: nobody keeps it. */
  readonly cacheControl?: string
}

/** The handler writes to the exchange itself (logs, proxied requests). */
export interface TakenAnswer {
  readonly type: 'taken'
}

/** A 200 or 201 with a value. */
export const valueAnswer = (value: Frozen<KubernetesObject>, code = 200): ValueAnswer => ({
  type: 'value',
  code,
  value,
})

/** Text as it is. */
export const textAnswer = (code: number, body: string, contentType = 'text/plain; charset=utf-8'): RawAnswer => ({
  type: 'raw',
  code,
  contentType,
  body,
})
