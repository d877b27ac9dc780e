import type { RuleWithOperations } from '../../../api/generated/types/admissionregistration-v1.ts'
import { namespaces } from '../../../api/generated/resources.ts'
import type { LabelSelector } from '../../../api/generated/types/meta-v1.ts'
import type { Kind } from '../../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../../api/resource.ts'
import { selectsAll } from '../../../api/selector/label-selector.ts'
import { matcherOf } from '../../../api/selector/label.ts'
import type { KindTable } from '../../../api/table.ts'
import type { Lookup } from '../../registry/registry.ts'
import type { Attributes } from '../admission.ts'

/** What says which requests something applies to: a webhook's fields, or a policy's constraints. */
export interface Matching {
  readonly rules: readonly Rule[]
  readonly excluded?: readonly Rule[] | undefined
  readonly matchPolicy: string | undefined
  readonly namespaceSelector: Frozen<LabelSelector> | undefined
  readonly objectSelector: Frozen<LabelSelector> | undefined
}

/** Where requests are looked up. */
export interface MatchContext {
  readonly lookup: Lookup
  readonly kinds: KindTable
}

const configurations: ReadonlySet<string> = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

/** Whatever decides on requests must never be able to lock itself in. */
export const isExempt = ({ resource: { group, plural } }: Kind): boolean =>
  group === 'admissionregistration.k8s.io' && configurations.has(plural)

/** The kind, in the version in which the request is to be shown, when it is concerned; undefined otherwise. */
export function matchedKind(context: MatchContext, matching: Matching, attributes: Attributes): Kind | undefined {
  const { excluded = [], rules, matchPolicy } = matching
  const kind = kindFor(context, rules, matchPolicy, attributes)
  if (!kind || !matchesSelectors(context, matching, attributes)) return undefined
  return excluded.length > 0 && kindFor(context, excluded, matchPolicy, attributes) ? undefined : kind
}

type Rule = Frozen<RuleWithOperations & { resourceNames?: string[] }>

function kindFor(
  { kinds }: MatchContext,
  rules: readonly Rule[],
  matchPolicy: string | undefined,
  attributes: Attributes,
): Kind | undefined {
  const { kind } = attributes
  if (matchesRule(rules, kind, attributes)) return kind
  if (matchPolicy === 'Exact') return undefined
  const stored = storedIn(kind)
  return kinds
    .all()
    .find(
      (other) =>
        other !== kind &&
        other.storagePrefix === kind.storagePrefix &&
        storedIn(other) === stored &&
        matchesRule(rules, other, attributes),
    )
}

const storedIn = (kind: Kind): Kind => kind.storedAs?.kind() ?? kind

const matchesRule = (rules: readonly Rule[], kind: Kind, attributes: Attributes): boolean =>
  rules.some((rule) => matches(rule, kind, attributes))

function matches(
  { operations = [], apiGroups = [], apiVersions = [], resources = [], scope = '*', resourceNames = [] }: Rule,
  { resource }: Kind,
  { operation, subresource, name }: Attributes,
): boolean {
  const has = (list: readonly string[], value: string) => list.includes('*') || list.includes(value)
  if (
    !has(operations as readonly string[], operation) ||
    !has(apiGroups, resource.group) ||
    !has(apiVersions, resource.version)
  )
    return false
  if (scope === 'Namespaced' && !resource.namespaced) return false
  // A namespace is cluster-scoped, although its requests name it.
  if (scope === 'Cluster' && resource.namespaced) return false
  if (resourceNames.length > 0 && !resourceNames.includes(name)) return false
  return resources.some((each) => {
    const [wanted = '', sub = ''] = each.split('/')
    return (wanted === '*' || wanted === resource.plural) && (sub === '*' || sub === subresource)
  })
}

const isEmpty = (selector: Frozen<LabelSelector> | undefined): boolean => !selector || selectsAll(selector)

function matchesSelectors(
  { lookup }: MatchContext,
  { namespaceSelector, objectSelector }: Matching,
  attributes: Attributes,
): boolean {
  if (!isEmpty(namespaceSelector)) {
    const labels = namespaceLabels(lookup, attributes)
    if (labels && !matcherOf(namespaceSelector as LabelSelector).matches(labels)) return false
  }
  if (isEmpty(objectSelector)) return true
  const matcher = matcherOf(objectSelector as LabelSelector)
  return [attributes.object as Frozen<KubernetesObject> | undefined, attributes.old].some(
    (object) => object !== undefined && matcher.matches(object.metadata?.labels ?? {}),
  )
}

/** The labels of the request's namespace; undefined for what is in none. */
function namespaceLabels(
  lookup: Lookup,
  { kind, namespace, name, object, old, operation, subresource }: Attributes,
): Readonly<Record<string, string>> | undefined {
  const isNamespace = kind.resource.plural === 'namespaces' && kind.resource.group === ''
  if (isNamespace && (operation === 'CREATE' || (operation === 'UPDATE' && subresource === '')))
    return object?.metadata.labels ?? {}
  if (isNamespace) return old?.metadata?.labels ?? lookup.get(namespaces, { name })?.metadata?.labels ?? {}
  if (!kind.resource.namespaced) return undefined
  return lookup.get(namespaces, { name: namespace })?.metadata?.labels ?? {}
}
