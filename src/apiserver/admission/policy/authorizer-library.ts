import { overload, type Overload } from '../../../api/cel/functions.ts'
import { CelError, Opaque } from '../../../api/cel/values.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import {
  serviceAccountGroups,
  serviceAccountName,
  authenticatedGroup,
  mastersGroup,
  type User,
} from '../../authn/user.ts'

/** Asks whether a user may do something. */
export class AuthorizerValue extends Opaque {
  readonly type = 'kubernetes.authorization.Authorizer'
  readonly authorizer: Authorizer
  readonly user: User

  constructor(authorizer: Authorizer, user: User) {
    super()
    this.authorizer = authorizer
    this.user = user
  }

  text(): string {
    return this.user.name
  }
}

/** What is asked about. */
interface Asked {
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

class Check extends Opaque {
  readonly type: string
  readonly of: AuthorizerValue
  readonly asked: Asked

  constructor(type: 'PathCheck' | 'GroupCheck' | 'ResourceCheck', of: AuthorizerValue, asked: Asked) {
    super()
    this.type = `kubernetes.authorization.${type}`
    this.of = of
    this.asked = asked
  }

  text(): string {
    return JSON.stringify(this.asked)
  }

  with(more: Asked): Check {
    return new Check('ResourceCheck', this.of, { ...this.asked, ...more })
  }
}

class DecisionValue extends Opaque {
  readonly type = 'kubernetes.authorization.Decision'
  readonly allowed: boolean
  readonly reason: string

  constructor(allowed: boolean, reason: string) {
    super()
    this.allowed = allowed
    this.reason = reason
  }

  text(): string {
    return `${this.allowed} ${this.reason}`
  }
}

/** The check of the request's own resource. */
export const resourceCheck = (of: AuthorizerValue, asked: Asked): Opaque => new Check('ResourceCheck', of, asked)

function decide({ of: { authorizer, user }, asked }: Check, verb: string): DecisionValue {
  if (user.groups.includes(mastersGroup)) return new DecisionValue(true, '')
  const {
    path = '',
    group = '',
    resource = '',
    subresource = '',
    namespace = '',
    name = '',
    fieldSelector,
    labelSelector,
  } = asked
  const { verdict, reason } = authorizer.authorize({
    user,
    verb,
    isResource: resource !== '',
    path,
    group,
    version: '*',
    resource,
    subresource,
    namespace,
    name,
    fieldSelector,
    labelSelector,
  })
  return new DecisionValue(verdict === 'allow', reason)
}

function needed<T>(value: T | undefined | '', problem: string): T {
  if (value === undefined || value === '') throw new CelError(problem)
  return value
}

const prefix = 'kubernetes.authorization'

/** What expressions may ask the authorizer. */
export const authorizerLibrary: readonly Overload[] = [
  overload(
    `${prefix}.Authorizer.path(string): ${prefix}.PathCheck`,
    (of: AuthorizerValue, path: string) => new Check('PathCheck', of, { path: needed(path, 'path must not be empty') }),
  ),
  overload(
    `${prefix}.Authorizer.group(string): ${prefix}.GroupCheck`,
    (of: AuthorizerValue, group: string) => new Check('GroupCheck', of, { group }),
  ),
  overload(
    `${prefix}.Authorizer.serviceAccount(string, string): ${prefix}.Authorizer`,
    ({ authorizer }: AuthorizerValue, namespace: string, name: string) =>
      new AuthorizerValue(authorizer, {
        name: serviceAccountName(namespace, name),
        groups: [...serviceAccountGroups(namespace), authenticatedGroup],
      }),
  ),
  overload(`${prefix}.GroupCheck.resource(string): ${prefix}.ResourceCheck`, (check: Check, resource: string) =>
    check.with({ resource: needed(resource, 'resource must not be empty') }),
  ),
  overload(
    `${prefix}.ResourceCheck.subresource(string): ${prefix}.ResourceCheck`,
    (check: Check, subresource: string) => check.with({ subresource }),
  ),
  overload(`${prefix}.ResourceCheck.namespace(string): ${prefix}.ResourceCheck`, (check: Check, namespace: string) =>
    check.with({ namespace }),
  ),
  overload(`${prefix}.ResourceCheck.name(string): ${prefix}.ResourceCheck`, (check: Check, name: string) =>
    check.with({ name }),
  ),
  overload(
    `${prefix}.ResourceCheck.fieldSelector(string): ${prefix}.ResourceCheck`,
    (check: Check, fieldSelector: string) => check.with({ fieldSelector }),
  ),
  overload(
    `${prefix}.ResourceCheck.labelSelector(string): ${prefix}.ResourceCheck`,
    (check: Check, labelSelector: string) => check.with({ labelSelector }),
  ),
  overload(`${prefix}.PathCheck.check(string): ${prefix}.Decision`, decide, () => 350_000),
  overload(`${prefix}.ResourceCheck.check(string): ${prefix}.Decision`, decide, () => 350_000),
  overload(`${prefix}.Decision.allowed(): bool`, ({ allowed }: DecisionValue) => allowed),
  overload(`${prefix}.Decision.reason(): string`, ({ reason }: DecisionValue) => reason),
  overload(`${prefix}.Decision.errored(): bool`, () => false),
  overload(`${prefix}.Decision.error(): string`, () => ''),
]
