import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../generated/types/autoscaling-v2.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

type Target = Frozen<MetricTarget> | undefined
type Current = Frozen<MetricValueStatus> | undefined

/** How many metrics are shown. */
const metricsMax = 2

/** What `kubectl get horizontalpodautoscalers` shows. */
export function horizontalPodAutoscalerRow(autoscaler: Frozen<HorizontalPodAutoscaler>, nowMs: number): Cell[] {
  const { spec, status } = autoscaler
  const target = spec?.scaleTargetRef
  return [
    name(autoscaler),
    `${target?.kind ?? ''}/${target?.name ?? ''}`,
    metricsCell(autoscaler),
    spec?.minReplicas === undefined || spec.minReplicas === null ? '<unset>' : String(spec.minReplicas),
    spec?.maxReplicas ?? 0,
    status?.currentReplicas ?? 0,
    age(autoscaler, nowMs),
  ]
}

function metricsCell({ spec, status }: Frozen<HorizontalPodAutoscaler>): string {
  const metrics = spec?.metrics ?? []
  if (metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, metricsMax).map((metric, i) => metricText(metric, status?.currentMetrics?.[i]))
  return metrics.length > metricsMax ? `${shown.join(', ')} + ${metrics.length - metricsMax} more...` : shown.join(', ')
}

function metricText(metric: Frozen<MetricSpec>, status: Frozen<MetricStatus> | undefined): string {
  switch (metric.type) {
    case 'External':
      return valueText(metric.external?.target, status?.external?.current)
    case 'Object':
      return valueText(metric.object?.target, status?.object?.current)
    case 'Pods':
      return `${status?.pods ? quantity(status.pods.current.averageValue) : '<unknown>'}/${quantity(metric.pods?.target.averageValue)}`
    case 'Resource':
      return `${metric.resource?.name}: ${resourceText(metric.resource?.target, status?.resource?.current)}`
    case 'ContainerResource':
      return `${metric.containerResource?.name}: ${resourceText(metric.containerResource?.target, status?.containerResource?.current)}`
    default:
      return '<unknown type>'
  }
}

/** How Go prints a quantity that is not there. */
const quantity = (value: string | undefined): string => value ?? '<nil>'

function valueText(target: Target, current: Current): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current ? quantity(current.value) : '<unknown>'}/${quantity(target?.value)}`
}

function resourceText(target: Target, current: Current): string {
  if (target?.averageValue !== undefined)
    return `${current ? quantity(current.averageValue) : '<unknown>'}/${target.averageValue}`
  const percent = (value: number | null | undefined, absent: string) =>
    value === undefined || value === null ? absent : `${value}%`
  return `${percent(current?.averageUtilization, '<unknown>')}/${percent(target?.averageUtilization, '<auto>')}`
}
