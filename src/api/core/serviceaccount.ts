import { serviceAccounts } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { serviceAccountRow } from './serviceaccount-row.ts'

/** What a ServiceAccount does. */
export const serviceAccountDefinition = defineKind(serviceAccounts, {
  row: serviceAccountRow,
  generation: false,
})
