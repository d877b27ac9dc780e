import { podDisruptionBudgets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a PodDisruptionBudget does. */
export const podDisruptionBudgetDefinition = defineKind(podDisruptionBudgets, {
  status: true,
  unconditionalUpdate: false,
})
