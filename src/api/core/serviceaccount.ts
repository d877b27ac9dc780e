import { serviceAccounts } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ServiceAccount does. */
export const serviceAccountDefinition = defineKind(serviceAccounts, {
  generation: false,
})
