import { horizontalPodAutoscalersV1 } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a HorizontalPodAutoscaler does. */
export const horizontalPodAutoscalerV1Definition = defineKind(horizontalPodAutoscalersV1, {
  status: true,
  generation: false,
})
