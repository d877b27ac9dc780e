import { networkPolicies } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { networkPolicyRow } from './networkpolicy-row.ts'

/** What a NetworkPolicy does. */
export const networkPolicyDefinition = defineKind(networkPolicies, {
  row: networkPolicyRow,
})
