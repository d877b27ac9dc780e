import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../../api/generated/types/autoscaling-v2.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ControllerOptions } from '../options.ts'

/** What an autoscaler did and wanted lately. Kept in memory: after a restart it begins anew, carefully. */
export interface ScalingHistory {
  readonly recommendations: { readonly atMs: number; readonly replicas: number }[]
  readonly ups: { readonly atMs: number; readonly change: number }[]
  readonly downs: { readonly atMs: number; readonly change: number }[]
}

/** How many pods are asked for, and how many the metrics want now. */
export interface Wish {
  readonly current: number
  readonly wanted: number
  readonly nowMs: number
}

/** A count, and why it is that one. */
export interface Decision {
  readonly replicas: number
  readonly able: { readonly reason: string; readonly message: string }
  readonly limited: { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string }
}

interface Rules {
  readonly windowMs: number
  readonly select: string
  readonly policies: readonly { readonly type: string; readonly value: number; readonly periodSeconds: number }[]
}

const defaultUp: Rules['policies'] = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
]
const defaultDown: Rules['policies'] = [{ type: 'Percent', value: 100, periodSeconds: 15 }]

const rulesOf = (rules: Frozen<HPAScalingRules> | undefined, windowMs: number, policies: Rules['policies']): Rules => ({
  windowMs: rules?.stabilizationWindowSeconds === undefined ? windowMs : rules.stabilizationWindowSeconds * 1000,
  select: rules?.selectPolicy ?? 'Max',
  policies: rules?.policies ?? policies,
})

/** What to scale to, of what the metrics want: not to and fro, not too fast, not beyond the limits. */
export function limit(
  spec: Frozen<HorizontalPodAutoscalerSpec>,
  wish: Wish,
  history: ScalingHistory,
  options: Pick<ControllerOptions, 'hpaDownscaleStabilizationMs'>,
): Decision {
  const { current } = wish
  const up = rulesOf(spec.behavior?.scaleUp, 0, defaultUp)
  const down = rulesOf(spec.behavior?.scaleDown, options.hpaDownscaleStabilizationMs, defaultDown)
  const lately = noteWish(wish, history, up, down)
  // Without `behavior` the highest counts in both directions.
  const stable = stabilize(wish, spec.behavior ? lately : { ...lately, lowest: lately.highest })
  const min = spec.minReplicas ?? 1
  const within = {
    status: 'False',
    reason: 'DesiredWithinRange',
    message: 'the desired count is within the acceptable range',
  } as const
  if (stable.replicas > current) {
    const fastest = spec.behavior ? Math.max(current, upLimit(wish, history, up)) : plainUpLimit(current)
    const most = Math.min(spec.maxReplicas, fastest)
    if (stable.replicas <= most) return { ...stable, limited: within }
    const limited =
      spec.maxReplicas <= fastest
        ? {
            status: 'True' as const,
            reason: 'TooManyReplicas',
            message: 'the desired replica count is more than the maximum replica count',
          }
        : {
            status: 'True' as const,
            reason: 'ScaleUpLimit',
            message: 'the desired replica count is increasing faster than the maximum scale rate',
          }
    return { replicas: most, able: stable.able, limited }
  }
  if (stable.replicas < current) {
    const fastest = spec.behavior ? Math.min(current, downLimit(wish, history, down)) : 0
    const least = Math.max(min, fastest)
    if (stable.replicas >= least) return { ...stable, limited: within }
    const limited =
      min >= fastest
        ? {
            status: 'True' as const,
            reason: 'TooFewReplicas',
            message: 'the desired replica count is less than the minimum replica count',
          }
        : {
            status: 'True' as const,
            reason: 'ScaleDownLimit',
            message: 'the desired replica count is decreasing faster than the maximum scale rate',
          }
    return { replicas: least, able: stable.able, limited }
  }
  return { ...stable, limited: within }
}

/** How far an autoscaler without `behavior` grows at once: rules of their own came later, and their defaults are others. */
const plainUpLimit = (current: number): number => Math.max(2 * current, 4)

/** What was wanted lately: the lowest within the window for going up, the highest within that for going down. */
interface Lately {
  readonly lowest: number
  readonly highest: number
}

/** Notes what is wanted now, and forgets what is older than both windows. */
function noteWish({ wanted, nowMs }: Wish, history: ScalingHistory, up: Rules, down: Rules): Lately {
  let lowest = wanted
  let highest = wanted
  const keepMs = Math.max(up.windowMs, down.windowMs)
  const kept = history.recommendations.filter(({ atMs }) => atMs > nowMs - keepMs)
  for (const { atMs, replicas } of kept) {
    if (atMs > nowMs - up.windowMs) lowest = Math.min(lowest, replicas)
    if (atMs > nowMs - down.windowMs) highest = Math.max(highest, replicas)
  }
  history.recommendations.splice(0, Infinity, ...kept, { atMs: nowMs, replicas: wanted })
  return { lowest, highest }
}

/** The lowest of what was wanted lately when it goes up, the highest when it goes down. */
function stabilize({ current, wanted }: Wish, { lowest, highest }: Lately): Pick<Decision, 'replicas' | 'able'> {
  const replicas = current < lowest ? lowest : Math.min(current, highest)
  if (replicas === wanted)
    return { replicas, able: { reason: 'ReadyForNewScale', message: 'recommended size matches current size' } }
  if (wanted > replicas)
    return {
      replicas,
      able: {
        reason: 'ScaleUpStabilized',
        message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
      },
    }
  return {
    replicas,
    able: {
      reason: 'ScaleDownStabilized',
      message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
    },
  }
}

function upLimit(wish: Wish, history: ScalingHistory, { select, policies }: Rules): number {
  if (select === 'Disabled') return wish.current
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = startOf(wish, history, periodSeconds)
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100))
  })
  return select === 'Min' ? Math.min(...limits) : Math.max(...limits)
}

function downLimit(wish: Wish, history: ScalingHistory, { select, policies }: Rules): number {
  if (select === 'Disabled') return wish.current
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = startOf(wish, history, periodSeconds)
    return type === 'Pods' ? start - value : Math.floor(start * (1 - value / 100))
  })
  return select === 'Min' ? Math.max(...limits) : Math.min(...limits)
}

/** The size at the beginning of a period. */
function startOf({ current, nowMs }: Wish, { ups, downs }: ScalingHistory, periodSeconds: number): number {
  const sum = (events: ScalingHistory['ups']) =>
    events.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000).reduce((total, { change }) => total + change, 0)
  return current - sum(ups) + sum(downs)
}

/** The size that was found counts as wanted until now: an autoscaler that was just begun, as all are after a restart, shrinks nothing at once either. */
export function beginWith({ recommendations }: ScalingHistory, current: number, nowMs: number): void {
  if (recommendations.length === 0) recommendations.push({ atMs: nowMs, replicas: current })
}

/** The longest period that a policy may look back. */
const eventsKeptMs = 1_800_000

/** Notes a change of size. */
export function noteScaling(history: ScalingHistory, from: number, to: number, nowMs: number): void {
  const list = to > from ? history.ups : history.downs
  list.splice(0, Infinity, ...list.filter(({ atMs }) => atMs > nowMs - eventsKeptMs), {
    atMs: nowMs,
    change: Math.abs(to - from),
  })
}
