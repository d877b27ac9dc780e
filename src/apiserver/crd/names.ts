import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from '../../api/generated/types/apiextensions-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { equal } from '../../api/validation/equal.ts'
import { timeText } from '../../api/schema/times.ts'

type Definition = Frozen<CustomResourceDefinition>
type Names = Frozen<CustomResourceDefinitionNames>
type Condition = Frozen<CustomResourceDefinitionCondition>

/** Which names a definition gets, and what its conditions say about them. */
export interface Naming {
  readonly acceptedNames: Names
  readonly conditions: readonly Condition[]
}

/** Decides on a definition's names: those that another definition of the group has are refused, one by one; the others are accepted. */
export function nameDefinition(definition: Definition, all: Iterable<Definition>, nowMs: number): Naming {
  const { names } = definition.spec
  const before: Names = definition.status?.acceptedNames ?? { kind: '', plural: '' }
  const taken = takenNames(definition.spec.group, all)
  const accepted: { -readonly [Key in keyof Names]: Names[Key] } = {
    ...before,
    ...(names.categories && { categories: names.categories }),
  }
  if (!names.categories) delete accepted.categories
  let problem: { reason: string; message: string } | undefined
  for (const [name, reason, used] of rules) {
    if (name === 'shortNames') {
      const refused = (names.shortNames ?? []).filter(
        (short) => !before.shortNames?.includes(short) && taken[used].has(short),
      )
      if (refused.length > 0) problem = { reason, message: listed(refused.map(inUse)) }
      else if (names.shortNames) accepted.shortNames = names.shortNames
      else delete accepted.shortNames
      continue
    }
    const wanted = names[name] ?? ''
    if (wanted !== (before[name] ?? '') && taken[used].has(wanted)) problem = { reason, message: inUse(wanted) }
    else accepted[name] = wanted
  }
  return { acceptedNames: accepted, conditions: conditionsOf(definition, problem, nowMs) }
}

/** The names in the order in which they are looked at: the last problem is told. */
const rules = [
  ['plural', 'PluralConflict', 'resources'],
  ['singular', 'SingularConflict', 'resources'],
  ['shortNames', 'ShortNamesConflict', 'resources'],
  ['kind', 'KindConflict', 'kinds'],
  ['listKind', 'ListKindConflict', 'kinds'],
] as const

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`
const listed = (texts: readonly string[]): string => (texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`)

function takenNames(group: string, all: Iterable<Definition>): { resources: Set<string>; kinds: Set<string> } {
  const taken = { resources: new Set<string>(), kinds: new Set<string>() }
  for (const { spec, status } of all) {
    const accepted = status?.acceptedNames
    if (spec.group !== group || !accepted) continue
    for (const name of [accepted.plural, accepted.singular, ...(accepted.shortNames ?? [])])
      if (name) taken.resources.add(name)
    for (const name of [accepted.kind, accepted.listKind]) if (name) taken.kinds.add(name)
  }
  return taken
}

function conditionsOf(
  definition: Definition,
  problem: { reason: string; message: string } | undefined,
  nowMs: number,
): Condition[] {
  const conditions: Condition[] = [
    problem
      ? { type: 'NamesAccepted', status: 'False', ...problem }
      : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
  ]
  if (!isEstablished(definition)) {
    conditions.push(
      problem
        ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
        : {
            type: 'Established',
            status: 'True',
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
          },
    )
  }
  const approval = approvalOf(definition)
  return withConditions(definition.status?.conditions ?? [], approval ? [...conditions, approval] : conditions, nowMs)
}

/** Whether its kinds are served. */
export const isEstablished = ({ status }: Definition): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') ?? false

const approvalAnnotation = 'api-approved.kubernetes.io'

/** Groups of the project itself need its approval. */
function approvalOf({ spec: { group }, metadata }: Definition): Condition | undefined {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return undefined
  const type = 'KubernetesAPIApprovalPolicyConformant'
  const annotation = metadata.annotations?.[approvalAnnotation]
  if (!annotation)
    return {
      type,
      status: 'False',
      reason: 'MissingAnnotation',
      message: `protected groups must have approval annotation ${JSON.stringify(approvalAnnotation)}, see https://github.com/kubernetes/enhancements/pull/1111`,
    }
  if (annotation.startsWith('unapproved'))
    return {
      type,
      status: 'False',
      reason: 'UnapprovedAnnotation',
      message: `not approved: ${JSON.stringify(annotation)}`,
    }
  if (URL.canParse(annotation))
    return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${annotation}` }
  return {
    type,
    status: 'False',
    reason: 'InvalidAnnotation',
    message: `protected groups must have approval annotation ${JSON.stringify(approvalAnnotation)} with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
  }
}

/** Conditions keep the time of their last change, and those of others stay. */
export function withConditions(before: readonly Condition[], wanted: readonly Condition[], nowMs: number): Condition[] {
  const out = [...before]
  for (const condition of wanted) {
    const at = out.findIndex(({ type }) => type === condition.type)
    const old = out[at]
    const lastTransitionTime =
      old?.status === condition.status && old.lastTransitionTime ? old.lastTransitionTime : timeText(nowMs)
    const next: Condition = {
      ...condition,
      lastTransitionTime,
      ...(condition.observedGeneration !== undefined && { observedGeneration: condition.observedGeneration }),
    }
    if (at < 0) out.push(next)
    else if (!equal(old, next)) out[at] = next
  }
  return out
}
