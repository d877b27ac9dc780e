/** Which nodes a Pod, a volume or anything else with a node selector may be on. */
import type {
  Node,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { holds } from './requirement.ts'

/** Whether a Pod's node selector and required node affinity allow the node. Without a spec nothing is asked. */
export function allowsNode(spec: Frozen<PodSpec> | undefined, node: Frozen<Node>): boolean {
  const { labels } = node.metadata
  for (const key in spec?.nodeSelector) if (labels?.[key] !== spec.nodeSelector[key]) return false
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || matchesNodeSelector(required, node)
}

/** Whether one of the selector's terms holds for the node; a selector without terms matches none. */
export const matchesNodeSelector = ({ nodeSelectorTerms }: Frozen<NodeSelector>, node: Frozen<Node>): boolean =>
  nodeSelectorTerms.some((term) => matchesNodeTerm(term, node))

/** Whether all requirements of a term hold for the node; a term without any matches none. */
export function matchesNodeTerm(
  { matchExpressions = [], matchFields = [] }: Frozen<NodeSelectorTerm>,
  { metadata }: Frozen<Node>,
): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matchExpressions.every((requirement) => holdsForNode(requirement, metadata.labels?.[requirement.key])) &&
    matchFields.every((requirement) => holdsForNode(requirement, fieldOf(metadata.name, requirement.key)))
  )
}

/** The only field that terms can name. */
const fieldOf = (name: string | undefined, key: string) => (key === 'metadata.name' ? name : undefined)

function holdsForNode({ operator, values }: Frozen<NodeSelectorRequirement>, value: string | undefined): boolean {
  if (operator !== 'Gt' && operator !== 'Lt') return holds(operator, values, value)
  const bound = values?.[0]
  if (!isInteger(value) || !isInteger(bound)) return false
  return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
}

const isInteger = (text: string | undefined): text is string => text !== undefined && /^[+-]?\d+$/.test(text)
