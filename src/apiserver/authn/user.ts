/** Who makes a request. */
export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Members may do everything; no authorizer is asked. */
export const mastersGroup = 'system:masters'
/** Everybody who was authenticated. */
export const authenticatedGroup = 'system:authenticated'
/** Everybody who was not. */
export const unauthenticatedGroup = 'system:unauthenticated'

/** A request without credentials. */
export const anonymous: User = { name: 'system:anonymous', groups: [unauthenticatedGroup] }

/** The server itself: what its own start-up and its in-process clients may act as. */
export const apiServerUser: User = { name: 'system:apiserver', groups: [mastersGroup, authenticatedGroup] }

/** The user with the group that all authenticated users have. */
export function withAuthenticatedGroup(user: User): User {
  if (user.groups.includes(authenticatedGroup) || user.groups.includes(unauthenticatedGroup)) return user
  return { ...user, groups: [...user.groups, authenticatedGroup] }
}

const serviceAccountPrefix = 'system:serviceaccount:'

/** The user name of a service account. */
export const serviceAccountName = (namespace: string, name: string): string =>
  `${serviceAccountPrefix}${namespace}:${name}`

/** The namespace and name of a service account's user name. */
export function serviceAccountOf(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(serviceAccountPrefix)) return undefined
  const [namespace, name, ...more] = userName.slice(serviceAccountPrefix.length).split(':')
  return namespace && name && more.length === 0 ? { namespace, name } : undefined
}

/** The groups of every service account of a namespace. */
export const serviceAccountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
]

/** The name of a node's own user, 'system:node:' taken off; undefined for others. */
export function nodeNameOf(user: User): string | undefined {
  return user.name.startsWith('system:node:') && user.groups.includes('system:nodes')
    ? user.name.slice('system:node:'.length)
    : undefined
}
