import type { Clock } from '../../../base/clock.ts'
import type { Client } from '../../../client/client.ts'
import { newAccessReview } from '../../../serving/authorization.ts'
import type { RequestUser } from '../../../serving/user.ts'

/** authorization.webhook.cacheAuthorizedTTL and cacheUnauthorizedTTL */
const allowedTtlMs = 300_000
const deniedTtlMs = 30_000

/** What a request does to the node: any one of the subresources suffices. */
export interface NodeAction {
  readonly verb: string
  readonly subresources: readonly string[]
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Paths with a permission of their own beside `nodes/proxy`, which allows everything that has no other. */
const fineGrained: readonly (readonly [string, string])[] = [
  ['/pods', 'pods'],
  ['/healthz', 'healthz'],
  ['/configz', 'configz'],
  ['/runningpods', 'pods'],
]
const instead: readonly (readonly [string, string])[] = [
  ['/stats', 'stats'],
  ['/metrics', 'metrics'],
  ['/logs', 'log'],
  ['/checkpoint', 'checkpoint'],
  ['/statusz', 'statusz'],
  ['/flagz', 'configz'],
]

/** The permission that a request to the kubelet takes. */
export function actionOf(method: string, path: string): NodeAction {
  const below = ([prefix]: readonly [string, string]) => path === prefix || path.startsWith(`${prefix}/`)
  const fine = fineGrained.find(below)
  return { verb: verbs[method] ?? '', subresources: [...(fine ? [fine[1]] : []), instead.find(below)?.[1] ?? 'proxy'] }
}

/** Asks the API server whether a user may do something to the node. */
export function newAuthorization({
  client,
  clock,
  nodeName,
}: {
  readonly client: Client
  readonly clock: Clock
  readonly nodeName: string
}): (user: RequestUser, action: NodeAction) => Promise<boolean> {
  const review = newAccessReview({ client, clock, allowedTtlMs, deniedTtlMs })
  return async (user, { verb, subresources }) => {
    for (const subresource of subresources) {
      const { allowed } = await review(user, {
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
      })
      if (allowed) return true
    }
    return false
  }
}
