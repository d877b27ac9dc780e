import type { PolicyRule } from '../../api/generated/types/rbac-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Ask } from './authorizer.ts'

/** Rules of a role, compiled: whether one of them covers what is asked for. */
export type Covers = (ask: Ask) => boolean

const compiled = new WeakMap<readonly Frozen<PolicyRule>[], Covers>()

/** Compiles a role's rules, once for each list. */
export function coversOf(rules: readonly Frozen<PolicyRule>[]): Covers {
  let covers = compiled.get(rules)
  if (!covers) compiled.set(rules, (covers = compile(rules)))
  return covers
}

function compile(rules: readonly Frozen<PolicyRule>[]): Covers {
  const each = rules.map(compileRule)
  return (ask) => {
    for (const covers of each) if (covers(ask)) return true
    return false
  }
}

function compileRule(rule: Frozen<PolicyRule>): Covers {
  const verbs = matcher(rule.verbs)
  const groups = matcher(rule.apiGroups)
  const resources = resourceMatcher(rule.resources)
  const names = rule.resourceNames?.length ? new Set(rule.resourceNames) : undefined
  const paths = rule.nonResourceURLs ?? []
  return (ask) => {
    if (!verbs(ask.verb)) return false
    if (!ask.isResource) return paths.some((path) => pathMatches(path, ask.path))
    return groups(ask.group) && resources(ask) && (names === undefined || names.has(ask.name))
  }
}

function matcher(values: readonly string[] | null | undefined): (value: string) => boolean {
  if (!values?.length) return () => false
  if (values.includes('*')) return () => true
  const set = new Set(values)
  return (value) => set.has(value)
}

function resourceMatcher(values: readonly string[] | null | undefined): (ask: Ask) => boolean {
  if (!values?.length) return () => false
  if (values.includes('*')) return () => true
  const set = new Set(values)
  return ({ resource, subresource }) =>
    subresource === '' ? set.has(resource) : set.has(`${resource}/${subresource}`) || set.has(`*/${subresource}`)
}

/** Whether a rule's path, which may end in a star, covers a path. */
export const pathMatches = (rule: string, path: string): boolean =>
  rule === '*' || rule === path || (rule.endsWith('*') && path.startsWith(rule.slice(0, -1)))

/** Whether rules together cover everything that `rule` grants: what upstream's escalation check asks. Returns what is missing. */
export function uncovered(owned: readonly Frozen<PolicyRule>[], wanted: readonly Frozen<PolicyRule>[]): PolicyRule[] {
  return wanted.flatMap(breakdown).filter((single) => !owned.some((rule) => ruleCovers(rule, single)))
}

/** A rule as rules of one verb, group, resource and name each. */
function breakdown(rule: Frozen<PolicyRule>): PolicyRule[] {
  const out: PolicyRule[] = []
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs ?? []) {
        if (!rule.resourceNames?.length) out.push({ apiGroups: [group], resources: [resource], verbs: [verb] })
        else
          for (const name of rule.resourceNames)
            out.push({ apiGroups: [group], resources: [resource], verbs: [verb], resourceNames: [name] })
      }
    }
  }
  for (const path of rule.nonResourceURLs ?? [])
    for (const verb of rule.verbs ?? []) out.push({ nonResourceURLs: [path], verbs: [verb] })
  return out
}

function ruleCovers(owner: Frozen<PolicyRule>, single: PolicyRule): boolean {
  const has = (values: readonly string[] | null | undefined, value: string) =>
    values?.includes('*') || values?.includes(value) || false
  if (!has(owner.verbs, single.verbs![0]!)) return false
  if (single.nonResourceURLs)
    return (owner.nonResourceURLs ?? []).some((path) => pathMatches(path, single.nonResourceURLs![0]!))
  const resource = single.resources![0]!
  const slash = resource.indexOf('/')
  const bySubresource = slash >= 0 && (owner.resources ?? []).includes(`*${resource.slice(slash)}`)
  if (!has(owner.apiGroups, single.apiGroups![0]!) || !(has(owner.resources, resource) || bySubresource)) return false
  if (!owner.resourceNames?.length) return true
  return single.resourceNames !== undefined && owner.resourceNames.includes(single.resourceNames[0]!)
}
