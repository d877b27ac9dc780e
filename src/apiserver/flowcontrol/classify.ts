import type { FlowSchema, Subject } from '../../api/generated/types/flowcontrol-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { serviceAccountOf, type User } from '../authn/user.ts'
import type { RequestInfo } from '../request/request-info.ts'

/** What of a flow schema decides about requests, compiled once. */
export interface Matcher {
  readonly name: string
  readonly uid: string
  readonly level: string
  readonly precedence: number
  matches(user: User, info: RequestInfo): boolean
}

/** Compiles a flow schema. */
export function matcherOf({ metadata, spec }: Frozen<FlowSchema>): Matcher {
  const rules = (spec?.rules ?? []).map(({ subjects, resourceRules, nonResourceRules }) => ({
    subjects,
    resourceRules: resourceRules ?? [],
    nonResourceRules: nonResourceRules ?? [],
  }))
  return {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    level: spec?.priorityLevelConfiguration.name ?? '',
    precedence: spec?.matchingPrecedence ?? 1000,
    matches: (user, info) =>
      rules.some(
        ({ subjects, resourceRules, nonResourceRules }) =>
          subjects.some((subject) => isSubject(subject, user)) &&
          (info.isResource
            ? resourceRules.some(
                ({ verbs, apiGroups, resources, namespaces, clusterScope }) =>
                  has(verbs, info.verb) &&
                  has(apiGroups, info.group) &&
                  has(resources, info.subresource ? `${info.resource}/${info.subresource}` : info.resource) &&
                  (info.namespace ? has(namespaces, info.namespace) : clusterScope === true),
              )
            : nonResourceRules.some(
                ({ verbs, nonResourceURLs }) =>
                  has(verbs, info.verb) && nonResourceURLs.some((url) => isBelow(url, info.path)),
              )),
      ),
  }
}

const has = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes(value) || values.includes('*'))

const isBelow = (url: string, path: string): boolean =>
  url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1)))

function isSubject({ kind, user: named, group, serviceAccount }: Frozen<Subject>, user: User): boolean {
  switch (kind) {
    case 'User':
      return named?.name === '*' || named?.name === user.name
    case 'Group':
      return group?.name === '*' || user.groups.includes(group?.name ?? '')
    default: {
      const account = serviceAccountOf(user.name)
      return (
        account !== undefined &&
        account.namespace === serviceAccount?.namespace &&
        (serviceAccount.name === '*' || serviceAccount.name === account.name)
      )
    }
  }
}
