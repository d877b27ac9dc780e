import { badRequest } from '../../api/errors/api-error.ts'
import { denied, type Ask, type Authorizer } from '../authz/authorizer.ts'
import type { Exchange } from '../http/exchange.ts'
import { extraOf } from './request-header.ts'
import {
  anonymous,
  authenticatedGroup,
  serviceAccountGroups,
  serviceAccountOf,
  unauthenticatedGroup,
  type User,
} from './user.ts'

const extraPrefix = 'impersonate-extra-'

/** The user whom a request asks to act as, when its own user may; its own when it does not ask. Throws 403, or 400 for headers that make no sense. */
export function impersonated(exchange: Exchange, user: User, authorizer: Authorizer): User {
  const name = exchange.header('impersonate-user') ?? ''
  const groups = valuesOf(exchange, 'impersonate-group')
  const uid = exchange.header('impersonate-uid') ?? ''
  const extra = extraOf(exchange.headers(), [extraPrefix])
  const others = groups.length > 0 || uid !== '' || Object.keys(extra).length > 0
  if (name === '') {
    if (others) throw badRequest('requested impersonation without impersonating a user')
    return user
  }
  const ask = (
    resource: string,
    asked: string,
    { group = '', version = 'v1', namespace = '', subresource = '' } = {},
  ) => {
    const attributes: Ask = {
      user,
      verb: 'impersonate',
      isResource: true,
      path: '',
      group,
      version,
      namespace,
      resource,
      subresource,
      name: asked,
    }
    const { verdict, reason } = authorizer.authorize(attributes)
    if (verdict !== 'allow') throw denied(attributes, reason)
  }
  const account = serviceAccountOf(name)
  if (account) ask('serviceaccounts', account.name, { namespace: account.namespace })
  else ask('users', name)
  for (const group of groups) ask('groups', group)
  for (const key in extra)
    for (const value of extra[key]!) ask('userextras', value, { group: 'authentication.k8s.io', subresource: key })
  if (uid !== '') ask('uids', uid, { group: 'authentication.k8s.io' })
  const own = groups.length > 0 ? groups : account ? serviceAccountGroups(account.namespace) : []
  return {
    name,
    groups: withStanding(name, own),
    ...(uid !== '' && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}

/** The group of the authenticated, or of the anonymous, unless the request names one of them itself. */
function withStanding(name: string, groups: string[]): string[] {
  if (name === anonymous.name) return groups.includes(unauthenticatedGroup) ? groups : [...groups, unauthenticatedGroup]
  return groups.includes(authenticatedGroup) || groups.includes(unauthenticatedGroup)
    ? groups
    : [...groups, authenticatedGroup]
}

function valuesOf(exchange: Exchange, name: string): string[] {
  const value = exchange.headers()[name]
  if (value === undefined) return []
  return typeof value === 'string' ? value.split(',').map((each) => each.trim()) : [...value]
}
