import { networkPolicies } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a NetworkPolicy does. */
export const networkPolicyDefinition = defineKind(networkPolicies, {
})
