import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../generated/types/autoscaling-v1.ts'
import type {
  HPAScalingRules,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
  MetricStatus,
} from '../generated/types/autoscaling-v2.ts'
import type { Thawed } from '../draft.ts'
import type { Frozen } from '../resource.ts'
import { defaultUtilization, dropCarriers, roundTripAnnotations } from './autoscaler-rules.ts'
import { flatMetric, flatStatus, wideMetric, wideStatus } from './conversion-metrics.ts'

type Behavior = HorizontalPodAutoscalerBehavior

const utilization = (percent: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
})
const isCpu = ({ type, resource }: Frozen<MetricSpec>): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined

/** The stored form of an autoscaler written in the first version. */
export function autoscalerFromV1(autoscaler: Frozen<AutoscalerV1>): HorizontalPodAutoscaler {
  const { metadata, spec, status } = structuredClone(autoscaler) as AutoscalerV1
  const annotations = metadata?.annotations ?? {}
  const others =
    parsed<Parameters<typeof wideMetric>[0][]>(annotations[roundTripAnnotations.metrics])?.map(wideMetric) ?? []
  const { targetCPUUtilizationPercentage: percent, ...same } = spec ?? {
    maxReplicas: 0,
    scaleTargetRef: { kind: '', name: '' },
  }
  const metrics = percent === undefined ? others : [...others, utilization(percent)]
  const behavior = wideBehavior(parsed<GoBehavior>(annotations[roundTripAnnotations.behavior]))
  const made: HorizontalPodAutoscaler = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata ?? {},
    spec: {
      ...same,
      metrics: metrics.length ? metrics : [utilization(defaultUtilization)],
      ...(behavior && { behavior }),
    },
    ...(status && { status: statusFromV1(status, annotations) }),
  }
  if (metadata) dropCarriers(metadata)
  return made
}

function statusFromV1(
  status: NonNullable<AutoscalerV1['status']>,
  annotations: { readonly [key: string]: string },
): HorizontalPodAutoscalerStatus {
  const { currentCPUUtilizationPercentage: percent, ...same } = status
  const carried = parsed<Parameters<typeof wideStatus>[0][]>(annotations[roundTripAnnotations.currentMetrics])?.map(
    wideStatus,
  )
  const cpu: MetricStatus[] | undefined =
    percent === undefined
      ? undefined
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percent } } }]
  const currentMetrics = carried ?? cpu
  const conditions = parsed<NonNullable<HorizontalPodAutoscalerStatus['conditions']>>(
    annotations[roundTripAnnotations.conditions],
  )
  return { ...same, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) }
}

/** An autoscaler in the first version; what that has no fields for goes into annotations. */
export function autoscalerToV1(stored: Frozen<HorizontalPodAutoscaler>): AutoscalerV1 {
  const { metadata, spec, status } = structuredClone(stored) as Thawed<typeof stored>
  const { metrics = [], behavior, ...same } = spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }
  dropCarriers(metadata)
  const others = metrics.filter((metric) => !isCpu(metric))
  const carried: { [key: string]: string } = {}
  if (others.length) carried[roundTripAnnotations.metrics] = JSON.stringify(others.map(flatMetric))
  if (status?.currentMetrics?.length)
    carried[roundTripAnnotations.currentMetrics] = JSON.stringify(status.currentMetrics.map(flatStatus))
  if (behavior)
    carried[roundTripAnnotations.behavior] = JSON.stringify({
      ScaleUp: goRules(behavior.scaleUp),
      ScaleDown: goRules(behavior.scaleDown),
    } satisfies GoBehavior)
  if (status?.conditions?.length)
    carried[roundTripAnnotations.conditions] = JSON.stringify(status.conditions.map(goCondition))
  const percent = metrics.find(isCpu)?.resource?.target.averageUtilization
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: Object.keys(carried).length
      ? { ...metadata, annotations: { ...metadata.annotations, ...carried } }
      : metadata,
    spec: { ...same, ...(percent !== undefined && { targetCPUUtilizationPercentage: percent }) },
    ...(status && { status: statusToV1(status) }),
  }
}

function statusToV1({
  currentMetrics,
  conditions: _,
  ...same
}: HorizontalPodAutoscalerStatus): NonNullable<AutoscalerV1['status']> {
  const cpu = currentMetrics?.findLast(
    ({ type, resource }) =>
      type === 'Resource' && resource?.name === 'cpu' && resource.current.averageUtilization !== undefined,
  )
  const percent = cpu?.resource?.current.averageUtilization
  return {
    ...same,
    currentReplicas: same.currentReplicas ?? 0,
    ...(percent !== undefined && { currentCPUUtilizationPercentage: percent }),
  }
}

/** A condition with its fields in upstream's order. */
const goCondition = ({ type, status, lastTransitionTime, reason, message }: HorizontalPodAutoscalerCondition) => ({
  type,
  status,
  lastTransitionTime: lastTransitionTime ?? null,
  reason,
  message,
})

/** Behaviour as the annotation holds it: upstream writes its internal structures, with Go's names. */
interface GoRules {
  readonly StabilizationWindowSeconds: number | null
  readonly SelectPolicy: string | null
  readonly Policies: readonly { readonly Type: string; readonly Value: number; readonly PeriodSeconds: number }[] | null
  readonly Tolerance: string | null
}
interface GoBehavior {
  readonly ScaleUp?: GoRules | null
  readonly ScaleDown?: GoRules | null
}

function goRules(rules: HPAScalingRules | undefined): GoRules | null {
  if (!rules) return null
  return {
    StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
    SelectPolicy: rules.selectPolicy ?? null,
    Policies:
      rules.policies?.map(({ type, value, periodSeconds }) => ({
        Type: type,
        Value: value,
        PeriodSeconds: periodSeconds,
      })) ?? null,
    Tolerance: rules.tolerance ?? null,
  }
}

function wideBehavior(behavior: GoBehavior | undefined): Behavior | undefined {
  const [up, down] = [wideRules(behavior?.ScaleUp), wideRules(behavior?.ScaleDown)]
  return up || down ? { ...(up && { scaleUp: up }), ...(down && { scaleDown: down }) } : undefined
}

function wideRules(rules: GoRules | null | undefined): HPAScalingRules | undefined {
  if (!rules) return undefined
  const { StabilizationWindowSeconds: window, SelectPolicy: select, Policies: policies, Tolerance: tolerance } = rules
  return {
    ...(typeof window === 'number' && { stabilizationWindowSeconds: window }),
    ...(select && { selectPolicy: select }),
    ...(policies && {
      policies: policies.map(({ Type, Value, PeriodSeconds }) => ({
        type: Type,
        value: Value,
        periodSeconds: PeriodSeconds,
      })),
    }),
    ...(tolerance && { tolerance }),
  }
}

/** What an annotation carries; nothing when somebody wrote something else into it. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    return (JSON.parse(text) as T | null) ?? undefined
  } catch {
    return undefined
  }
}
