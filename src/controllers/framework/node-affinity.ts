import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf, nameOf } from '../../client/object.ts'

/** Whether the node has what the pod's node selector and required node affinity ask for. */
export function fitsNodeAffinity(spec: Frozen<PodSpec>, node: Frozen<Node>): boolean {
  const labels = labelsOf(node)
  for (const key in spec.nodeSelector) if (labels[key] !== spec.nodeSelector[key]) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  // Terms are alternatives; no terms at all match nothing.
  return required === undefined || required.nodeSelectorTerms.some((term) => fitsTerm(term, node))
}

/** Whether the node fits a term; an empty term fits nothing. */
export function fitsTerm(
  { matchExpressions = [], matchFields = [] }: Frozen<NodeSelectorTerm>,
  node: Frozen<Node>,
): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  const labels = labelsOf(node)
  return (
    matchExpressions.every((requirement) => fits(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) =>
      fits(requirement, requirement.key === 'metadata.name' ? nameOf(node) : undefined),
    )
  )
}

function fits({ operator, values = [] }: Frozen<NodeSelectorRequirement>, value: string | undefined): boolean {
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
    case 'Lt': {
      const [bound] = values
      if (!isInteger(value) || !isInteger(bound)) return false
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
    }
    default:
      return false
  }
}

const isInteger = (text: string | undefined): text is string => text !== undefined && /^[+-]?\d+$/.test(text)
