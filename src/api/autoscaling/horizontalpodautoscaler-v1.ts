import { horizontalPodAutoscalersV1 } from '../generated/resources.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import { checkAutoscaler, checkAutoscalerStatus, defaultUtilization, roundTripAnnotations } from './autoscaler-rules.ts'
import { autoscalerFromV1 } from './conversion.ts'
import { horizontalPodAutoscalerV1Row } from './horizontalpodautoscaler-v1-row.ts'

/** What a HorizontalPodAutoscaler in its first version does: the rules are those of the stored form. */
export const horizontalPodAutoscalerV1Definition = defineKind(horizontalPodAutoscalersV1, {
  row: horizontalPodAutoscalerV1Row,
  status: true,
  generation: false,
  defaults(autoscaler) {
    const spec = ensure(autoscaler, 'spec')
    spec.minReplicas ??= 1
    if (autoscaler.metadata?.annotations?.[roundTripAnnotations.metrics] === undefined) spec.targetCPUUtilizationPercentage ??= defaultUtilization
  },
  validate: (autoscaler, errors) => checkAutoscaler(autoscalerFromV1(autoscaler), undefined, errors),
  validateUpdate(autoscaler, old, errors, { subresource }) {
    if (subresource === 'status') checkAutoscalerStatus(autoscaler.status, errors)
    else checkAutoscaler(autoscalerFromV1(autoscaler), autoscalerFromV1(old), errors)
  },
})
