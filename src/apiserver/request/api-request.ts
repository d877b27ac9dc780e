import type { Kind, Subresource } from '../../api/kind.ts'
import type { User } from '../authn/user.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Query } from './query.ts'
import type { RequestInfo } from './request-info.ts'

/** A request's body: bytes off the wire, or a value that an in-process client passed by reference. */
export type RequestBody = { readonly bytes: Buffer } | { readonly value: unknown }

/** A request as everything behind the transport sees it. */
export interface ApiRequest {
  readonly method: string
  readonly info: RequestInfo
  readonly query: Query
  readonly user: User
  /** Media type of the body, with its parameters; undefined when the client names none. */
  readonly contentType: string | undefined
  readonly userAgent: string
  readonly body: () => Promise<RequestBody>
  /** Texts for the client's Warning headers. */
  readonly warnings: string[]
  /** Where it came in, when it came over HTTPS. */
  readonly exchange: Exchange | undefined
}

/** A request for a resource that is served. */
export interface ResourceRequest extends ApiRequest {
  readonly kind: Kind
  /** Undefined: the resource itself. */
  readonly subresource: Subresource | undefined
}

/** The texts of warnings are bounded, as upstream's are. */
const warningsMax = 100

/** Adds a warning for the client, once. */
export function warn(request: { readonly warnings: string[] }, text: string): void {
  if (request.warnings.length < warningsMax && !request.warnings.includes(text)) request.warnings.push(text)
}
