import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Store } from '../../store/store.ts'
import type { Document } from './document.ts'
import type { KeptForm } from './kept-forms.ts'

/**
 * Every object of one stored resource, as the newest durable write left it, with enough history for watches and for pages of an older list. Fed by one
 * watch of the store. Since stores call their watchers before a write's promise resolves, whoever awaited a write finds it here.
 *
 * Keys are relative to the prefix: 'namespace/name', or 'name' for cluster-scoped kinds; `prefix + key` is the store's key.
 */
export interface ObjectCache {
  readonly prefix: string
  /** The revision that answers stand at: the `resourceVersion` of a list made now. */
  revision(): number
  get(key: string): CachedObject | undefined
  /** How many objects there are (of a namespace). */
  count(namespace?: string): number
  /**
   * Objects in key order. Without `revision`: as they are now. Rejects with an `ApiError`: 410 when the asked revision is gone, 504 when it is not there yet.
   */
  list(options?: CacheListOptions): Promise<CacheList>
  /** The same, now: for callers that need no older revision. Never waits, never fails. */
  listNow(selection?: Selection): readonly CachedObject[]
  /**
   * Resolves when the cache stands at `revision` or later (`resourceVersion=N` as a minimum). Rejects with upstream's 504 'Too large resource version'
   * after three seconds.
   */
  waitForRevision(revision: number): Promise<void>
  /**
   * Starts a watch. Rejects with an `ApiError` of code 410 when `from` is a revision whose history is gone. The sink is first called in a later
   * turn of the event loop than the one in which the promise resolves.
   */
  watch(options: CacheWatchOptions, sink: WatchSink): Promise<CacheWatch>
  close(): void
}

/** One object as it is at one revision. */
export interface CachedObject {
  /** Relative to the cache's prefix. */
  readonly key: string
  /** '' for cluster-scoped kinds. */
  readonly namespace: string
  readonly name: string
  /** Of its last write; what a compare-and-put expects. Its `resourceVersion`, except in a watch event that tells that it no longer matches. */
  readonly revision: number
  /** Its JSON with apiVersion, kind and resourceVersion: what GET answers. */
  readonly bytes: Uint8Array
  /** Parsed when first asked for. */
  readonly object: Frozen<KubernetesObject>
  readonly document: Document
  /** Its other forms, where `KeptForms` keeps any. */
  forms?: KeptForm | undefined
  readonly labels: Readonly<Record<string, string>>
  /** The value of one of the kind's field selectors (`metadata.name`, `metadata.namespace` included); undefined when the kind has no such field. */
  field(name: string): string | undefined
}

/** Which objects a list or watch is about. All that is given must hold. */
export interface Selection {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly labels?: ((labels: Readonly<Record<string, string>>) => boolean) | undefined
  /** The field selector as a predicate. */
  readonly fields?: ((field: (name: string) => string | undefined) => boolean) | undefined
  /** Equalities that `fields` implies, by field: when one of them is indexed, only objects under that value are looked at. */
  readonly fieldEquals?: Readonly<Record<string, string>> | undefined
  /** Equalities that `labels` implies, by label: an index on one of them is made when it is first asked for, and only objects under that value are looked at. */
  readonly labelEquals?: Readonly<Record<string, string>> | undefined
  /** Canonical text of the label and field selector. Watches of the same text share their work; needed with `labels` or `fields` to do so. */
  readonly text?: string | undefined
}

/** Which objects, how many of them, and as of when. */
export interface CacheListOptions extends Selection {
  readonly limit?: number | undefined
  /** Continue after this key (exclusive). */
  readonly after?: string | undefined
  /** Exactly this revision. */
  readonly revision?: number | undefined
}

/** A page of objects. */
export interface CacheList {
  readonly entries: readonly CachedObject[]
  /** The revision that was read. */
  readonly revision: number
  /** There are more that match: continue after the last entry's key, at this revision. */
  readonly more: boolean
  /** How many come after the page; undefined when a selector makes that unknown, as upstream leaves it out. */
  readonly remaining: number | undefined
}

/** What a watch is about, where it begins, and how its events become bytes. */
export interface CacheWatchOptions extends Selection {
  /**
   * A revision: every change after it. 'now': only what comes. 'initial': the present objects as ADDED first. 'initial-with-bookmark': the same, then a bookmark that says so
   * (`sendInitialEvents=true`).
   */
  readonly from: number | 'now' | 'initial' | 'initial-with-bookmark'
  /** Bookmarks about once a minute. */
  readonly bookmarks?: boolean | undefined
  /** How events become bytes. Watches with the same encoding (the same object) share them. Absent for in-process watches, which take objects. */
  readonly encoding?: EventEncoding | undefined
}

/** What a watch tells. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly revision: number
  /** Absent only in bookmarks. A deleted object is in its last state, at the revision of its deletion. */
  readonly object: CachedObject | undefined
  /** This bookmark ends the initial events: it carries the annotation `k8s.io/initial-events-end: "true"`. */
  readonly initialEventsEnd: boolean
}

/** Makes bytes of events. Kept by the caller as one object per kind and format, since watches share the bytes by its identity. */
export interface EventEncoding {
  encode(event: CacheEvent): Uint8Array
  /** The same bytes in pieces, when they are at hand: then they are copied once, into the batch. Undefined: `encode` has to make them. */
  pieces?(event: CacheEvent): readonly Uint8Array[] | undefined
  /** Puts the bytes of events that leave together into a frame, once for all watchers: an HTTP/1.1 chunk, for example. */
  readonly frame?: (pieces: readonly Uint8Array[]) => Uint8Array
}

/** Events that leave together: all of one turn of the event loop. Shared by the watches that get the same. */
export interface EventBatch {
  readonly events: readonly CacheEvent[]
  /** The events in the watch's encoding, one after the other, framed; the same bytes for every watch that shares the batch. */
  readonly bytes: Uint8Array
}

/** Where a watch's events go. */
export interface WatchSink {
  /** Takes a batch. False: not ready for more until `CacheWatch.resume()`; what comes meanwhile waits, as long as the history that all watches share does. */
  deliver(batch: EventBatch): boolean
  /** The watch was ended from here: it did not keep up, or the cache closed. Not called after `CacheWatch.close()`. */
  end(): void
}

/** A running watch. */
export interface CacheWatch {
  /** The sink takes more again. */
  resume(): void
  /** Sends a bookmark in order with the events, for a client that asked for bookmarks and whose watch is about to time out. */
  bookmark(): void
  close(): void
}

/** What a cache is opened with. */
export interface ObjectCacheOptions extends Deps {
  readonly store: Store
  /** Of the keys, with the slash at its end: '/registry/pods/'. */
  readonly prefix: string
  readonly namespaced: boolean
  /** The kind's field selectors besides metadata.name and metadata.namespace. */
  readonly fields?: Readonly<Record<string, (object: Frozen<KubernetesObject>) => string>> | undefined
  /** Those of the fields that have an index: for pods, spec.nodeName. */
  readonly indexedFields?: readonly string[] | undefined
  /** Makes a document of stored bytes that are not JSON with a resourceVersion (upstream's envelope, encryption at rest). Default: they are. */
  readonly open?: ((bytes: Uint8Array, revision: number) => Document) | undefined
  /** Superseded versions kept in memory for watches and older pages; older ones are read from the store. Default 16 MiB. */
  readonly historyBytesMax?: number | undefined
  /** Events kept in memory. Default 10,000. */
  readonly historyEventsMax?: number | undefined
}
