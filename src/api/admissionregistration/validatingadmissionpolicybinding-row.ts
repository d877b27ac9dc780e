import type { ValidatingAdmissionPolicyBinding } from '../generated/types/admissionregistration-v1.ts'
import type { LabelSelector } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get validatingadmissionpolicybindings` shows. */
export const validatingAdmissionPolicyBindingRow = (
  binding: Frozen<ValidatingAdmissionPolicyBinding>,
  nowMs: number,
): Cell[] => [name(binding), binding.spec?.policyName ?? '', parametersCell(binding), age(binding, nowMs)]

function parametersCell({ spec }: Frozen<ValidatingAdmissionPolicyBinding>): string {
  const parameters = spec?.paramRef
  if (parameters?.name) return `${parameters.namespace || '*'}/${parameters.name}`
  return parameters?.selector ? goText(parameters.selector) : '<unset>'
}

/** A selector as Go prints the type. */
function goText({ matchLabels, matchExpressions }: Frozen<LabelSelector>): string {
  const labels = Object.keys(matchLabels ?? {})
    .sort()
    .map((label) => `${label}: ${matchLabels![label]},`)
    .join('')
  const expressions = (matchExpressions ?? [])
    .map(
      ({ key, operator, values }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(' ')}],},`,
    )
    .join('')
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`
}
