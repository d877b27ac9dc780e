import { horizontalPodAutoscalers } from '../generated/resources.ts'
import { ensure } from '../draft.ts'
import type { HorizontalPodAutoscaler } from '../generated/types/autoscaling-v2.ts'
import { defineKind } from '../kind.ts'
import { defaultBehavior } from './autoscaler-behavior.ts'
import { checkAutoscaler, checkAutoscalerStatus, defaultUtilization, dropCarriers } from './autoscaler-rules.ts'
import { horizontalPodAutoscalerRow } from './horizontalpodautoscaler-row.ts'

/** What a HorizontalPodAutoscaler does. */
export const horizontalPodAutoscalerDefinition = defineKind(horizontalPodAutoscalers, {
  row: horizontalPodAutoscalerRow,
  status: true,
  generation: false,
  defaults: defaultAutoscaler,
  validate: (autoscaler, errors) => checkAutoscaler(autoscaler, undefined, errors),
  validateUpdate(autoscaler, old, errors, { subresource }) {
    if (subresource === 'status') checkAutoscalerStatus(autoscaler.status, errors)
    else checkAutoscaler(autoscaler, old, errors)
  },
})

/** Fills in what the author left out. */
export function defaultAutoscaler(autoscaler: HorizontalPodAutoscaler): void {
  dropCarriers(ensure(autoscaler, 'metadata'))
  const spec = ensure(autoscaler, 'spec')
  spec.minReplicas ??= 1
  if (!spec.metrics?.length)
    spec.metrics = [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: defaultUtilization } },
      },
    ]
  if (spec.behavior) defaultBehavior(spec.behavior)
}
