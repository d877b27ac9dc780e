import type { Frozen } from '../../api/resource.ts'
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../../api/generated/types/core-v1.ts'

type Labels = Readonly<Record<string, string>>

/** Whether a node satisfies a node selector: one of its terms must hold; a term without anything holds for none. */
export const matchesNodeSelector = (selector: Frozen<NodeSelector>, node: Frozen<Node>): boolean => selector.nodeSelectorTerms.some((term) => matchesTerm(term, node))

/** Whether all requirements of a term hold. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: Frozen<NodeSelectorTerm>, node: Frozen<Node>): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  const fields = { 'metadata.name': node.metadata.name ?? '' }
  return matchExpressions.every((r) => holds(r, labels)) && matchFields.every((r) => holds(r, fields))
}

function holds({ key, operator, values = [] }: Frozen<NodeSelectorRequirement>, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && /^-?\d+$/.test(value) && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && /^-?\d+$/.test(value) && Number(value) < Number(values[0])
    default:
      return false
  }
}

/** Whether a Pod's nodeSelector and required node affinity allow a node. */
export function allowsNode({ spec }: Frozen<Pod>, node: Frozen<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  for (const key in spec?.nodeSelector) if (labels[key] !== spec.nodeSelector[key]) return false
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || matchesNodeSelector(required, node)
}
