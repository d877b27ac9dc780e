import { horizontalPodAutoscalers } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { horizontalPodAutoscalerRow } from './horizontalpodautoscaler-row.ts'

/** What a HorizontalPodAutoscaler does. */
export const horizontalPodAutoscalerDefinition = defineKind(horizontalPodAutoscalers, {
  row: horizontalPodAutoscalerRow,
  status: true,
  generation: false,
})
