import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../../api/generated/resources.ts'
import type {
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
  RoleRef,
  Subject,
} from '../../api/generated/types/rbac-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import { serviceAccountName, type User } from '../authn/user.ts'
import type { ObjectCache } from '../cache/cache.ts'
import { follow } from '../registry/follow.ts'
import type { Lookup } from '../registry/registry.ts'
import type { Ask, Authorizer, Decision, RulesOf } from './authorizer.ts'
import { coversOf } from './rules.ts'

type Binding = Frozen<ClusterRoleBinding> | Frozen<RoleBinding>

/** A binding that concerns a user, with the rules of its role. */
interface Grant {
  readonly binding: Binding
  readonly subject: Frozen<Subject>
  readonly rules: readonly Frozen<PolicyRule>[]
}

const none: readonly never[] = []
/** Stands for the rules of a role that is not there. */
const absent: readonly Frozen<PolicyRule>[] = []
const noOpinion: Decision = { verdict: 'none', reason: '' }

/** Role-based access control, evaluated from the cached bindings, which are indexed by subject so that a request looks only at its user's own. */
export class Rbac implements Authorizer {
  readonly #lookup: Lookup
  /** Bindings by subject, for the cluster under '' and for each namespace. */
  readonly #index = new Map<string, Map<string, Map<string, { binding: Binding; subject: Frozen<Subject> }>>>()

  readonly #caches: readonly ObjectCache[]
  /** Bindings that the index knows. */
  #known = 0

  private constructor(lookup: Lookup, caches: readonly ObjectCache[]) {
    this.#lookup = lookup
    this.#caches = caches
  }

  /** Follows the bindings of two caches. */
  static async start(lookup: Lookup, clusterCache: ObjectCache, namespacedCache: ObjectCache): Promise<Rbac> {
    const rbac = new Rbac(lookup, [clusterCache, namespacedCache])
    for (const cache of rbac.#caches) {
      await follow(cache, {
        set(entry, before) {
          if (before) rbac.#forget(before.object as Binding)
          else rbac.#known++
          rbac.#learn(entry.object as Binding)
        },
        remove(before) {
          rbac.#known--
          rbac.#forget(before.object as Binding)
        },
      })
    }
    return rbac
  }

  /** Resolves when every stored binding counts: whoever follows a cache hears of a write in a later turn. */
  async caughtUp(clock: Clock): Promise<void> {
    while (this.#known < this.#caches.reduce((sum, cache) => sum + cache.count(), 0)) await clock.yield()
  }

  authorize(ask: Ask): Decision {
    let missing: string[] | undefined
    for (const { binding, subject, rules } of this.grants(ask.user, ask.namespace)) {
      if (rules === absent) (missing ??= []).push(absence(binding))
      else if (coversOf(rules)(ask)) return { verdict: 'allow', reason: reasonOf(binding, subject) }
    }
    return missing ? { verdict: 'none', reason: missingText(missing) } : noOpinion
  }

  /** The bindings that concern a user in a namespace, those of the cluster first. */
  *grants(user: User, namespace: string): Iterable<Grant> {
    for (const scope of namespace ? ['', namespace] : ['']) {
      const bySubject = this.#index.get(scope)
      if (!bySubject) continue
      for (const key of subjectKeysOf(user)) {
        const bindings = bySubject.get(key)
        if (!bindings) continue
        for (const { binding, subject } of bindings.values())
          yield { binding, subject, rules: this.rulesOf(binding.roleRef, scope) }
      }
    }
  }

  /** The rules of a role; `absent`, which has none, when there is no such role. */
  rulesOf(ref: Frozen<RoleRef>, namespace: string): readonly Frozen<PolicyRule>[] {
    const role =
      ref.kind === 'ClusterRole'
        ? this.#lookup.get(clusterRoles, { name: ref.name! })
        : this.#lookup.get(roles, { namespace, name: ref.name! })
    return role ? (role.rules ?? none) : absent
  }

  /** All that a user may do in a namespace, as rules. */
  rulesFor(user: User, namespace: string): RulesOf {
    const resourceRules: RulesOf['resourceRules'][number][] = []
    const nonResourceRules: RulesOf['nonResourceRules'][number][] = []
    for (const { rules } of this.grants(user, namespace)) {
      for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of rules) {
        if (resources?.length)
          resourceRules.push({
            verbs: [...(verbs ?? [])],
            apiGroups: [...(apiGroups ?? [])],
            resources: [...resources],
            ...(resourceNames?.length && { resourceNames: [...resourceNames] }),
          })
        if (nonResourceURLs?.length)
          nonResourceRules.push({ verbs: [...(verbs ?? [])], nonResourceURLs: [...nonResourceURLs] })
      }
    }
    return { resourceRules, nonResourceRules }
  }

  #learn(binding: Binding): void {
    const scope = binding.metadata?.namespace ?? ''
    let bySubject = this.#index.get(scope)
    if (!bySubject) this.#index.set(scope, (bySubject = new Map()))
    for (const subject of binding.subjects ?? []) {
      const key = keyOfSubject(subject, scope)
      let bindings = bySubject.get(key)
      if (!bindings) bySubject.set(key, (bindings = new Map()))
      bindings.set(binding.metadata!.name!, { binding, subject })
    }
  }

  #forget(binding: Binding): void {
    const scope = binding.metadata?.namespace ?? ''
    for (const subject of binding.subjects ?? [])
      this.#index.get(scope)?.get(keyOfSubject(subject, scope))?.delete(binding.metadata!.name!)
  }
}

/** The caches whose bindings it follows. */
export const bindingResources = [clusterRoleBindings, roleBindings] as const

function keyOfSubject({ kind, name, namespace }: Frozen<Subject>, scope: string): string {
  if (kind === 'ServiceAccount') return `User ${serviceAccountName(namespace || scope, name!)}`
  return `${kind} ${name}`
}

const keysOfUser = new WeakMap<User, string[]>()

function subjectKeysOf(user: User): string[] {
  let keys = keysOfUser.get(user)
  if (!keys) keysOfUser.set(user, (keys = [`User ${user.name}`, ...user.groups.map((group) => `Group ${group}`)]))
  return keys
}

function reasonOf(binding: Binding, { kind, name, namespace }: Frozen<Subject>): string {
  const own = binding.metadata!
  const who = kind === 'ServiceAccount' ? `ServiceAccount "${name}/${namespace}"` : `${kind} ${JSON.stringify(name)}`
  const bound = own.namespace
    ? `RoleBinding "${own.name}/${own.namespace}"`
    : `ClusterRoleBinding ${JSON.stringify(own.name)}`
  const role =
    binding.roleRef.kind === 'ClusterRole'
      ? `ClusterRole ${JSON.stringify(binding.roleRef.name)}`
      : `Role "${binding.roleRef.name}"`
  return `RBAC: allowed by ${bound} of ${role} to ${who}`
}

/** Who is refused learns of bindings whose role is missing: it may be why. */
const absence = ({ roleRef }: Binding): string =>
  `${roleRef.kind!.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(roleRef.name)} not found`

function missingText(absences: readonly string[]): string {
  const each = [...new Set(absences)]
  return `RBAC: ${each.length === 1 ? each[0] : `[${each.join(', ')}]`}`
}
