import type { HorizontalPodAutoscaler } from '../generated/types/autoscaling-v1.ts'
import type { MetricSpec, MetricStatus } from '../generated/types/autoscaling-v2.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { horizontalPodAutoscalerRow } from './horizontalpodautoscaler-row.ts'

/** Where this version keeps the metrics that it has no fields for. */
const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics'
const currentAnnotation = 'autoscaling.alpha.kubernetes.io/current-metrics'

/** What `kubectl get horizontalpodautoscalers.v1.autoscaling` shows: the same as of the newer form. */
export function horizontalPodAutoscalerV1Row(
  { metadata, spec, status }: Frozen<HorizontalPodAutoscaler>,
  nowMs: number,
): Cell[] {
  const wanted = spec?.targetCPUUtilizationPercentage
  const reached = status?.currentCPUUtilizationPercentage
  const cpu: MetricSpec[] =
    wanted === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: wanted } } }]
  const current: MetricStatus[] =
    reached === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: reached } } }]
  const annotations = metadata?.annotations
  return horizontalPodAutoscalerRow(
    {
      metadata: metadata ?? {},
      spec: {
        ...(spec?.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
        maxReplicas: spec?.maxReplicas ?? 0,
        scaleTargetRef: spec?.scaleTargetRef ?? { kind: '', name: '' },
        metrics: [...listIn<MetricSpec>(annotations?.[metricsAnnotation]), ...cpu],
      },
      status: {
        currentReplicas: status?.currentReplicas ?? 0,
        desiredReplicas: status?.desiredReplicas ?? 0,
        currentMetrics: [...listIn<MetricStatus>(annotations?.[currentAnnotation]), ...current],
      },
    },
    nowMs,
  )
}

function listIn<T>(text: string | undefined): readonly T[] {
  if (!text) return []
  try {
    const list = JSON.parse(text) as unknown
    return Array.isArray(list) ? (list as T[]) : []
  } catch {
    return [] // somebody wrote something else into the annotation
  }
}
