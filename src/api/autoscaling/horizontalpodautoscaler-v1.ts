import { horizontalPodAutoscalersV1 } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { horizontalPodAutoscalerV1Row } from './horizontalpodautoscaler-v1-row.ts'

/** What a HorizontalPodAutoscaler does. */
export const horizontalPodAutoscalerV1Definition = defineKind(horizontalPodAutoscalersV1, {
  row: horizontalPodAutoscalerV1Row,
  status: true,
  generation: false,
})
