import { podDisruptionBudgets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { podDisruptionBudgetRow } from './poddisruptionbudget-row.ts'

/** What a PodDisruptionBudget does. */
export const podDisruptionBudgetDefinition = defineKind(podDisruptionBudgets, {
  row: podDisruptionBudgetRow,
  status: true,
  unconditionalUpdate: false,
})
