import { subjectAccessReviews } from '../api/generated/resources.ts'
import type { SubjectAccessReviewSpec } from '../api/generated/types/authorization-v1.ts'
import type { Frozen } from '../api/resource.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { Expiring } from './expiring.ts'
import type { RequestUser } from './user.ts'

/** What somebody wants to do: something to a resource, or to a path. */
export type Attributes = Pick<Frozen<SubjectAccessReviewSpec>, 'resourceAttributes' | 'nonResourceAttributes'>

/** Whether it is allowed, and what the API server said of it. */
export interface Verdict {
  readonly allowed: boolean
  readonly reason: string
}

/** How it is found out. */
export interface AuthorizationOptions {
  readonly client: Client
  readonly clock: Clock
  /** How long a yes and a no are remembered. */
  readonly allowedTtlMs: number
  readonly deniedTtlMs: number
}

/** Asks the API server whether a user may do something, by SubjectAccessReview. */
export function newAccessReview({
  client,
  clock,
  allowedTtlMs,
  deniedTtlMs,
}: AuthorizationOptions): (user: RequestUser, attributes: Attributes) => Promise<Verdict> {
  const known = new Expiring<Verdict>(clock)
  return async (user, attributes) => {
    const key = JSON.stringify([user, attributes])
    const found = known.get(key)
    if (found) return found
    const { name, groups, uid, extra } = user
    const { status } = await client.create(subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: name, groups, ...(uid && { uid }), extra, ...attributes },
    })
    const verdict = { allowed: status?.allowed === true, reason: status?.reason ?? '' }
    known.set(key, verdict, verdict.allowed ? allowedTtlMs : deniedTtlMs)
    return verdict
  }
}
