import { ApiError } from '../../api/errors/api-error.ts'
import type { User } from '../authn/user.ts'
import type { RequestInfo } from '../request/request-info.ts'

/** What is asked for: who wants to do what. */
export interface Ask {
  readonly user: User
  readonly verb: string
  readonly isResource: boolean
  /** Of requests that are for no resource. */
  readonly path: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** The selectors of a list or watch: some authorizers allow only what they confine. */
  readonly fieldSelector?: string | undefined
  readonly labelSelector?: string | undefined
}

/** An answer to it, with the reason that reviews show. 'none': no opinion. */
export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'none'
  readonly reason: string
}

/** Decides what a user may do. */
export interface Authorizer {
  authorize(ask: Ask): Decision
}

/** A rule as reviews show it. */
export interface RulesOf {
  readonly resourceRules: readonly {
    verbs: string[]
    apiGroups: string[]
    resources: string[]
    resourceNames?: string[]
  }[]
  readonly nonResourceRules: readonly { verbs: string[]; nonResourceURLs: string[] }[]
}

const noOpinion: Decision = { verdict: 'none', reason: '' }

/** Asks several in turn; the first with an opinion decides. */
export function firstOpinion(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(ask): Decision {
      let reasons = ''
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(ask)
        if (decision.verdict !== 'none') return decision
        if (decision.reason) reasons += (reasons && '\n') + decision.reason
      }
      return reasons ? { verdict: 'none', reason: reasons } : noOpinion
    },
  }
}

/** Everybody may do everything. */
export const alwaysAllow: Authorizer = { authorize: () => ({ verdict: 'allow', reason: '' }) }

/** Nobody may do anything. */
export const alwaysDeny: Authorizer = { authorize: () => ({ verdict: 'none', reason: 'Everything is forbidden.' }) }

/** Members of the groups may do everything. */
export const privilegedGroups = (groups: readonly string[]): Authorizer => ({
  authorize: ({ user }) =>
    groups.some((group) => user.groups.includes(group)) ? { verdict: 'allow', reason: '' } : noOpinion,
})

/** What a request asks for. */
export const askOf = (user: User, info: RequestInfo, fieldSelector?: string, labelSelector?: string): Ask => ({
  user,
  verb: info.verb,
  isResource: info.isResource,
  path: info.path,
  group: info.group,
  version: info.version,
  namespace: info.namespace,
  resource: info.resource,
  subresource: info.subresource,
  name: info.name,
  fieldSelector,
  labelSelector,
})

/** 403 in upstream's words. */
export function denied(ask: Ask, reason: string): ApiError {
  const why = `${sentence(ask)}${reason && `: ${reason}`}`
  const { group, resource, name } = ask
  const qualified = group ? `${resource}.${group}` : resource
  const message =
    !ask.isResource || !resource
      ? `forbidden: ${why}`
      : name
        ? `${qualified} ${JSON.stringify(name)} is forbidden: ${why}`
        : `${qualified} is forbidden: ${why}`
  const details = ask.isResource
    ? { ...(name && { name }), ...(group && { group }), ...(resource && { kind: resource }) }
    : {}
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Forbidden',
    details,
    code: 403,
  })
}

function sentence({ user, verb, isResource, path, group, namespace, resource, subresource }: Ask): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  if (!isResource) return `${who} path ${JSON.stringify(path)}`
  const what = `resource ${JSON.stringify(subresource ? `${resource}/${subresource}` : resource)} in API group ${JSON.stringify(group)}`
  return `${who} ${what} ${namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'}`
}
