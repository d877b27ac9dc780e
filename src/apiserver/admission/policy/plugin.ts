import { validatingAdmissionPolicyBindings } from '../../../api/generated/resources.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { isExempt } from '../webhook/matching.ts'
import type { PolicyParts } from './policies.ts'

/** Refuses what the cluster's policies do not allow. What judges is loaded with the first policy that is bound. */
export function validatingPolicies(parts: PolicyParts): AdmissionPlugin {
  let judging: typeof import('./policies.ts') | undefined
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: (_operation, kind) => !isExempt(kind),
    validate(attributes) {
      if (parts.registry.storageOfResource(validatingAdmissionPolicyBindings)?.cache.count() === 0) return undefined
      if (judging) return judging.judgeByPolicies(parts, attributes)
      return import('./policies.ts').then((loaded) => {
        judging = loaded
        loaded.judgeByPolicies(parts, attributes)
      })
    },
  }
}
