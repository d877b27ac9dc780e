import type { Frozen } from '../../api/resource.ts'
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../api/generated/types/core-v1.ts'
import type { LabelSelector } from '../../api/generated/types/meta-v1.ts'
import { LabelMatcher, matcherOf, type LabelRequirement } from '../../api/selector/label.ts'

/** The labels of a namespace. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

/** Which Pods something speaks of: those of some namespaces that a selector chooses. Equal ones have equal ids. */
export interface PodSelection {
  readonly id: string
  readonly matches: (pod: Frozen<Pod>) => boolean
}

/** A Pod affinity or anti-affinity term, ready to be asked. */
export interface AffinityTerm {
  readonly id: string
  readonly selection: PodSelection
  readonly topologyKey: string
  /** Of a preference; 0 of a requirement. */
  readonly weight: number
}

/** Pods of one namespace chosen by a selector. */
export function selectionIn(namespace: string, matcher: LabelMatcher): PodSelection {
  return {
    id: `${namespace}|${matcher.toString()}|${matcher.nothing}`,
    matches: (pod) => pod.metadata.namespace === namespace && matcher.matches(pod.metadata.labels),
  }
}

/** A selector narrowed by the Pod's own values of some label keys (matchLabelKeys, mismatchLabelKeys). */
export function narrowed(
  selector: Frozen<LabelSelector> | undefined,
  pod: Frozen<Pod>,
  keys: readonly string[] = [],
  otherKeys: readonly string[] = [],
): LabelMatcher {
  const matcher = matcherOf(selector)
  if (matcher.nothing || (keys.length === 0 && otherKeys.length === 0)) return matcher
  const labels = pod.metadata.labels ?? {}
  const requirement =
    (operator: 'in' | 'notin') =>
    (key: string): LabelRequirement[] =>
      key in labels ? [{ key, operator, values: [labels[key]!] }] : []
  return new LabelMatcher([
    ...matcher.requirements,
    ...keys.flatMap(requirement('in')),
    ...otherKeys.flatMap(requirement('notin')),
  ])
}

/** A term as a Pod states it. */
export function affinityTerm(
  term: Frozen<PodAffinityTerm>,
  pod: Frozen<Pod>,
  labelsOf: NamespaceLabels,
  weight = 0,
): AffinityTerm {
  // The API server has merged matchLabelKeys into the selector already when it created the Pod.
  const matcher = matcherOf(term.labelSelector)
  const byLabels = term.namespaceSelector === undefined ? undefined : matcherOf(term.namespaceSelector)
  const named = new Set(term.namespaces?.length ? term.namespaces : byLabels ? [] : [pod.metadata.namespace ?? ''])
  const selection: PodSelection = {
    id: `${[...named].sort().join(',')}|${byLabels ? `${byLabels.toString()}|${byLabels.nothing}` : '-'}|${matcher.toString()}|${matcher.nothing}`,
    matches(other) {
      if (!matcher.matches(other.metadata.labels)) return false
      const namespace = other.metadata.namespace ?? ''
      return named.has(namespace) || (byLabels !== undefined && byLabels.matches(labelsOf(namespace)))
    },
  }
  return { id: `${selection.id}|${term.topologyKey}`, selection, topologyKey: term.topologyKey, weight }
}

/** Preferences as terms with weights. */
export const weightedTerms = (
  terms: readonly Frozen<WeightedPodAffinityTerm>[] | undefined,
  pod: Frozen<Pod>,
  labelsOf: NamespaceLabels,
): AffinityTerm[] =>
  (terms ?? []).map(({ podAffinityTerm, weight }) => affinityTerm(podAffinityTerm, pod, labelsOf, weight))
