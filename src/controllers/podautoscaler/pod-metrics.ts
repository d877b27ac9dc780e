import type { Pod } from '../../api/generated/types/core-v1.ts'
import { milliUnitsOf, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'
import { goDurationMs } from '../../base/go-duration.ts'
import type { Client } from '../../client/client.ts'
import { isBeingDeleted, msOf, nameOf } from '../../client/object.ts'
import { messageOf } from '../framework/context.ts'
import { podCondition } from '../framework/pod.ts'
import type { ControllerOptions } from '../options.ts'

/** Pods of a namespace. */
export interface SelectedPods {
  readonly namespace: string
  /** By their labels, as text. */
  readonly selector: string
}

/** What was measured of one pod, in thousandths. */
export interface Sample {
  readonly milli: number
  readonly timeMs: number
  readonly windowMs: number
}

/** By pod. */
export type Samples = ReadonlyMap<string, Sample>

interface MetricsList<Item> {
  readonly items?: readonly Item[]
}

const minuteMs = 60_000

/** Where to ask a metrics API, and what for. */
interface Question {
  readonly api: 'resource' | 'custom' | 'external'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** 'unable to get metrics for resource cpu': begins what is said of a failure. */
  readonly failure: string
}

/** What a metrics API answers; having nothing to say is a failure too. */
async function itemsOf<Item>(client: Client, { api, path, query, failure }: Question): Promise<readonly Item[]> {
  let items: readonly Item[] | undefined
  try {
    ;({ items } = await client.send<MetricsList<Item>>({ method: 'GET', path, query }))
  } catch (error) {
    throw new Error(`${failure}: unable to fetch metrics from ${api} metrics API: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (!items?.length) throw new Error(`${failure}: no metrics returned from ${api} metrics API`)
  return items
}

interface PodUsage {
  readonly metadata: { readonly name: string }
  readonly timestamp: string
  readonly window?: string
  readonly containers: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[]
}

/** Usage of a resource by pods, or by one container of each, from the resource metrics API. */
export async function resourceSamples(
  client: Client,
  { namespace, selector }: SelectedPods,
  resource: string,
  container?: string,
): Promise<Samples> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
  const failure = `unable to get metrics for resource ${resource}`
  const items = await itemsOf<PodUsage>(client, { api: 'resource', path, query: { labelSelector: selector }, failure })
  const samples = new Map<string, Sample>()
  for (const { metadata, timestamp, window, containers } of items) {
    const relevant = container === undefined ? containers : containers.filter(({ name }) => name === container)
    const usages = relevant.map(({ usage }) => usage[resource])
    // A pod of which a part is not known is not known.
    if (usages.length === 0 || usages.includes(undefined)) continue
    samples.set(metadata.name, {
      milli: usages.reduce((sum, usage) => sum + milliUnitsOf(parseQuantity(usage ?? '0')), 0),
      timeMs: msOf(timestamp),
      windowMs: goDurationMs(window ?? '0') ?? minuteMs,
    })
  }
  if (samples.size === 0) throw new Error(`${failure}: no metrics returned from resource metrics API`)
  return samples
}

interface CustomValue {
  readonly describedObject: { readonly name: string }
  readonly timestamp: string
  readonly windowSeconds?: number
  readonly value: string
}

/** A metric of pods from the custom metrics API. */
export async function podSamples(
  client: Client,
  { namespace, selector }: SelectedPods,
  metric: { name: string; selector: string },
): Promise<Samples> {
  const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/pods/*/${metric.name}`
  const items = await itemsOf<CustomValue>(client, {
    api: 'custom',
    path,
    query: { labelSelector: selector, ...(metric.selector && { metricLabelSelector: metric.selector }) },
    failure: `unable to get metric ${metric.name}`,
  })
  return new Map(
    items.map(({ describedObject, timestamp, windowSeconds, value }) => [
      describedObject.name,
      {
        milli: milliUnitsOf(parseQuantity(value)),
        timeMs: msOf(timestamp),
        windowMs: windowSeconds === undefined ? minuteMs : windowSeconds * 1000,
      },
    ]),
  )
}

/** A metric of one object, in thousandths. `resource`: 'ingresses.networking.k8s.io'. */
export async function objectMilli(
  client: Client,
  namespace: string,
  object: { resource: string; name: string },
  metric: { name: string; selector: string },
): Promise<number> {
  const scope =
    object.resource === 'namespaces'
      ? `namespaces/${object.name}/metrics`
      : `namespaces/${namespace}/${object.resource}/${object.name}`
  const [item] = await itemsOf<CustomValue>(client, {
    api: 'custom',
    path: `/apis/custom.metrics.k8s.io/v1beta2/${scope}/${metric.name}`,
    query: metric.selector ? { metricLabelSelector: metric.selector } : {},
    failure: `unable to get metric ${metric.name} of ${object.resource} ${namespace}/${object.name}`,
  })
  return milliUnitsOf(parseQuantity(item?.value ?? '0'))
}

/** The sum of an external metric's values, in thousandths. */
export async function externalMilli(
  client: Client,
  namespace: string,
  metric: { name: string; selector: string },
): Promise<number> {
  const items = await itemsOf<{ readonly value: string }>(client, {
    api: 'external',
    path: `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric.name}`,
    query: metric.selector ? { labelSelector: metric.selector } : {},
    failure: `unable to get external metric ${namespace}/${metric.name}`,
  })
  return items.reduce((sum, { value }) => sum + milliUnitsOf(parseQuantity(value)), 0)
}

/** Pods by what their samples are worth. */
export interface PodGroups {
  /** Names of pods that serve and were measured. */
  readonly ready: readonly string[]
  /** Start just now: what they use says little. */
  readonly unready: readonly string[]
  readonly missing: readonly string[]
}

/** Sorts pods by what their samples are worth; those that are going count for nothing. */
export function groupPods(
  pods: readonly Frozen<Pod>[],
  samples: Samples,
  resource: string,
  options: { readonly nowMs: number } & Pick<
    ControllerOptions,
    'hpaCpuInitializationPeriodMs' | 'hpaInitialReadinessDelayMs'
  >,
): PodGroups {
  const ready: string[] = []
  const unready: string[] = []
  const missing: string[] = []
  for (const pod of pods) {
    const name = nameOf(pod)
    if (isBeingDeleted(pod) || pod.status?.phase === 'Failed') continue
    const sample = samples.get(name)
    if (pod.status?.phase === 'Pending') unready.push(name)
    else if (!sample) missing.push(name)
    else if (resource === 'cpu' && isStarting(pod, sample, options)) unready.push(name)
    else ready.push(name)
  }
  return { ready, unready, missing }
}

/** CPU while a pod starts is no measure of its load. */
function isStarting(
  pod: Frozen<Pod>,
  sample: Sample,
  { nowMs, hpaCpuInitializationPeriodMs, hpaInitialReadinessDelayMs }: Parameters<typeof groupPods>[3],
): boolean {
  const condition = podCondition(pod, 'Ready')
  if (!condition || pod.status?.startTime === undefined) return true
  const startedMs = msOf(pod.status.startTime)
  const changedMs = condition.lastTransitionTime ? msOf(condition.lastTransitionTime) : startedMs
  if (startedMs + hpaCpuInitializationPeriodMs > nowMs)
    return condition.status === 'False' || sample.timeMs < changedMs + sample.windowMs
  return condition.status === 'False' && startedMs + hpaInitialReadinessDelayMs > changedMs
}
