import type { HorizontalPodAutoscalerBehavior } from '../../api/generated/types/autoscaling-v2.ts'
import { milliUnitsOf, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'
import type { PodGroups, Samples } from './pod-metrics.ts'

/** How far from the target is near enough, as a share of it. */
export interface Tolerance {
  readonly up: number
  readonly down: number
}

/** An autoscaler's own tolerance, or that of the controller where it has none. */
export function toleranceOf(behavior: Frozen<HorizontalPodAutoscalerBehavior> | undefined, usual: number): Tolerance {
  const of = (text: string | number | undefined) =>
    text === undefined ? usual : milliUnitsOf(parseQuantity(String(text))) / 1000
  return { up: of(behavior?.scaleUp?.tolerance), down: of(behavior?.scaleDown?.tolerance) }
}

const isWithin = (ratio: number, { up, down }: Tolerance): boolean => ratio <= 1 + up && ratio >= 1 - down

/** What the count is made from. */
export interface Measured {
  readonly current: number
  readonly groups: PodGroups
  readonly samples: Samples
  readonly tolerance: Tolerance
}

/**
 * How many pods bring each pod's share to `targetOf` it. Pods of which nothing is known are assumed to be at the target's far side, so that they never
 * make the change larger: full when there is less to do, idle when there is more.
 */
export function countForAverage(
  { current, groups, samples, tolerance }: Measured,
  targetOf: (pod: string) => number,
  fullOf: (pod: string) => number,
): number {
  const usage = new Map(groups.ready.map((pod) => [pod, samples.get(pod)?.milli ?? 0]))
  if (usage.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)')
  const first = ratioOf(usage, targetOf)
  const fillUnready = groups.unready.length > 0 && first > 1
  if (!fillUnready && groups.missing.length === 0)
    return isWithin(first, tolerance) ? current : Math.ceil(round(first * usage.size))
  for (const pod of groups.missing) usage.set(pod, first < 1 ? fullOf(pod) : 0)
  if (fillUnready) for (const pod of groups.unready) usage.set(pod, 0)
  const second = ratioOf(usage, targetOf)
  // A guess must not turn the direction.
  if (isWithin(second, tolerance) || (first < 1 && second > 1) || (first > 1 && second < 1)) return current
  const count = Math.ceil(round(second * usage.size))
  return (second < 1 && count > current) || (second > 1 && count < current) ? current : count
}

function ratioOf(usage: ReadonlyMap<string, number>, targetOf: (pod: string) => number): number {
  let used = 0
  let target = 0
  for (const [pod, milli] of usage) {
    used += milli
    target += targetOf(pod)
  }
  return used / target
}

/** A value of the whole against a target of the whole, of which it is `ratio`: as many times the pods that serve. */
export function countForValue(current: number, readyPods: number, ratio: number, tolerance: Tolerance): number {
  if (current === 0) return Math.ceil(round(ratio))
  return isWithin(ratio, tolerance) ? current : Math.ceil(round(ratio * readyPods))
}

/** A value of the whole against a target for each pod. */
export function countForShare(current: number, milli: number, targetMilli: number, tolerance: Tolerance): number {
  const ratio = current === 0 ? Infinity : milli / (targetMilli * current)
  return isWithin(ratio, tolerance) ? current : Math.ceil(round(milli / targetMilli))
}

/** 3.0000000000000004 pods are three. */
const round = (value: number): number => Math.round(value * 1e9) / 1e9
