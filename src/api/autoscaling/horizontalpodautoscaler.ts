import { horizontalPodAutoscalers } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a HorizontalPodAutoscaler does. */
export const horizontalPodAutoscalerDefinition = defineKind(horizontalPodAutoscalers, {
  status: true,
  generation: false,
})
