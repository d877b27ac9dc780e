import { horizontalPodAutoscalersV1 } from '../generated/resources.ts'
import { ensure } from '../draft.ts'
import type { ObjectMeta } from '../generated/types/meta-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
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
    if (autoscaler.metadata?.annotations?.[roundTripAnnotations.metrics] === undefined)
      spec.targetCPUUtilizationPercentage ??= defaultUtilization
  },
  prepareCreate: ({ metadata }) => carry(metadata, {}, statusCarriers),
  prepareUpdate: ({ metadata }, old, { subresource }) =>
    carry(metadata, old.metadata, subresource === 'status' ? specCarriers : statusCarriers),
  validate: (autoscaler, errors) => checkAutoscaler(autoscalerFromV1(autoscaler), undefined, errors),
  validateUpdate(autoscaler, old, errors, { subresource }) {
    if (subresource === 'status') checkAutoscalerStatus(autoscaler.status, errors)
    else checkAutoscaler(autoscalerFromV1(autoscaler), autoscalerFromV1(old), errors)
  },
})

const specCarriers = [roundTripAnnotations.metrics, roundTripAnnotations.behavior]
const statusCarriers = [roundTripAnnotations.currentMetrics, roundTripAnnotations.conditions]

/** Annotations stand for fields: those of the part that a request does not change are as they were. */
function carry(metadata: ObjectMeta, old: Frozen<ObjectMeta>, keys: readonly string[]): void {
  const annotations = metadata.annotations ?? {}
  for (const key of keys) {
    const before = old.annotations?.[key]
    if (before === undefined) delete annotations[key]
    else annotations[key] = before
  }
  if (Object.keys(annotations).length) metadata.annotations = annotations
  else delete metadata.annotations
}
