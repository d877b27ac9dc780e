import { subjectAccessReviews } from '../../../api/generated/resources.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Client } from '../../../client/client.ts'
import type { KubeletUser } from '../request.ts'
import { Expiring } from './expiring.ts'

/** authorization.webhook.cacheAuthorizedTTL and cacheUnauthorizedTTL */
const allowedTtlMs = 300_000
const deniedTtlMs = 30_000

/** What a request does to the node: any one of the subresources suffices. */
export interface NodeAction {
  readonly verb: string
  readonly subresources: readonly string[]
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** Paths with a permission of their own beside `nodes/proxy`, which allows everything that has no other. */
const fineGrained: readonly (readonly [string, string])[] = [['/pods', 'pods'], ['/healthz', 'healthz'], ['/configz', 'configz'], ['/runningpods', 'pods']]
const instead: readonly (readonly [string, string])[] = [['/stats', 'stats'], ['/metrics', 'metrics'], ['/logs', 'log'], ['/checkpoint', 'checkpoint'], ['/statusz', 'statusz'], ['/flagz', 'configz']]

/** The permission that a request to the kubelet takes. */
export function actionOf(method: string, path: string): NodeAction {
  const below = ([prefix]: readonly [string, string]) => path === prefix || path.startsWith(`${prefix}/`)
  const fine = fineGrained.find(below)
  return { verb: verbs[method] ?? '', subresources: [...(fine ? [fine[1]] : []), instead.find(below)?.[1] ?? 'proxy'] }
}

/** Asks the API server whether a user may do something to the node. */
export function newAuthorization({ client, clock, nodeName }: { readonly client: Client; readonly clock: Clock; readonly nodeName: string }): (user: KubeletUser, action: NodeAction) => Promise<boolean> {
  const known = new Expiring<boolean>(clock)
  const ask = async (user: KubeletUser, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user, verb, subresource])
    const found = known.get(key)
    if (found !== undefined) return found
    const { status } = await client.create(subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: user.name,
        groups: user.groups,
        ...(user.uid && { uid: user.uid }),
        extra: user.extra,
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    })
    const allowed = status?.allowed === true
    known.set(key, allowed, allowed ? allowedTtlMs : deniedTtlMs)
    return allowed
  }
  return async (user, { verb, subresources }) => {
    for (const subresource of subresources) if (await ask(user, verb, subresource)) return true
    return false
  }
}
