import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { CacheEvent } from '../cache/cache.ts'
import type { ListChunks } from '../cache/list-chunks.ts'
import type { RequestInfo } from '../request/request-info.ts'
import type { Query } from '../request/query.ts'
import type { ListAnswer } from './answer.ts'
import type { Format } from './negotiate.ts'

/** How a form is to be made. */
export interface FormOptions {
  readonly format: Format
  readonly query: Query
  readonly nowMs: number
  /** A table without its head: events of a watch after the first. */
  readonly noHead?: boolean
}

/** Bytes and what they are. */
export interface Formed {
  readonly bytes: Uint8Array
  readonly contentType: string
}

/** A list in pieces. */
export interface FormedChunks {
  readonly chunks: ListChunks
  readonly contentType: string
  /** Each piece takes work of its own: others get their turn in between. */
  readonly made: boolean
}

/** Makes the forms of answers that are not simply the bytes in the cache. */
export interface Forms {
  /** Whether this form can be given of what the request is about. `kind` is undefined when nothing serves it. */
  can(format: Format, info: RequestInfo, kind: Kind | undefined): boolean
  object(kind: Kind, object: Frozen<KubernetesObject>, options: FormOptions): Formed
  list(answer: ListAnswer, options: FormOptions, clock: Clock): Formed | FormedChunks | Promise<FormedChunks>
  /** An object that is not stored. */
  value(value: Frozen<KubernetesObject>, options: FormOptions): Formed
  /** One event of a watch, framed. */
  event(kind: Kind, event: CacheEvent, options: FormOptions): Uint8Array
  /** A Status at the end of a watch, framed. */
  watchError(status: Frozen<KubernetesObject>, options: FormOptions): Uint8Array
  /** What a watch's body is. */
  watchType(format: Format): string
}
