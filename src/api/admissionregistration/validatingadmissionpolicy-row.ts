import type { ValidatingAdmissionPolicy } from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get validatingadmissionpolicies` shows. */
export function validatingAdmissionPolicyRow(policy: Frozen<ValidatingAdmissionPolicy>, nowMs: number): Cell[] {
  const parameters = policy.spec?.paramKind
  return [
    name(policy),
    policy.spec?.validations?.length ?? 0,
    parameters ? `${parameters.apiVersion ?? ''}/${parameters.kind ?? ''}` : '<unset>',
    age(policy, nowMs),
  ]
}
