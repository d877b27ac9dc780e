import { pods } from '../../api/generated/resources.ts'
import type {
  ContainerResourceMetricSource,
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  ResourceMetricSource,
} from '../../api/generated/types/autoscaling-v2.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { podAmounts } from '../../api/core/pod-spec/resource-sums.ts'
import { formatQuantity, milliQuantityOf, milliUnitsOf, parseQuantity } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'
import { discover } from '../../client/discovery.ts'
import { labelsOf, nameOf } from '../../client/object.ts'
import { parseLabelSelector } from '../../api/selector/parse-label.ts'
import type { Context } from '../framework/controller.ts'
import { selectorText } from '../../api/selector/label-selector.ts'
import {
  externalMilli,
  groupPods,
  objectMilli,
  podSamples,
  resourceSamples,
  type Samples,
  type SelectedPods,
} from './pod-metrics.ts'
import { countForAverage, countForShare, countForValue, type Tolerance } from './replica-count.ts'

type C = Context<HorizontalPodAutoscaler>

/** What one metric asks for. */
export interface Proposal {
  readonly replicas: number
  /** 'cpu resource utilization (percentage of request)': for events. */
  readonly name: string
  readonly status: Frozen<MetricStatus>
}

/** A metric that cannot be used now. */
export class MetricError extends Error {
  override name = 'MetricError'
  /** For the condition ScalingActive. */
  readonly reason: string
  /** What it was a part of: 'failed to get cpu resource metric value'. */
  readonly context: string
  constructor({ reason, context }: { reason: string; context: string }, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.context = context
  }
}

/** What is scaled: its pods, how many they are, and how near to a metric's target is near enough for them. */
export interface Target extends SelectedPods {
  /** The pods that are wanted. */
  readonly current: number
  /** The pods that are there: what is measured of the whole is theirs. */
  readonly observed: number
  readonly tolerance: Tolerance
}

const failures: Readonly<Record<string, string>> = {
  Resource: 'FailedGetResourceMetric',
  ContainerResource: 'FailedGetContainerResourceMetric',
  Pods: 'FailedGetPodsMetric',
  Object: 'FailedGetObjectMetric',
  External: 'FailedGetExternalMetric',
}

/** What a metric asks for; throws a `MetricError` when that cannot be found out. */
export async function proposalFor(metric: Frozen<MetricSpec>, target: Target, c: C): Promise<Proposal> {
  const reason = failures[metric.type]
  const problem = `unknown metric source type "${metric.type}"`
  if (!reason) throw new MetricError({ reason: 'InvalidMetricSourceType', context: '' }, problem)
  try {
    return await compute(metric, target, c)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new MetricError({ reason, context: contextOf(metric) }, `${stepOf(metric)}${text}`, { cause: error })
  }
}

/** What failed, of a metric. */
const contextOf = ({ type, resource, containerResource, external }: Frozen<MetricSpec>): string => {
  if (resource) return `failed to get ${resource.name} resource metric value`
  if (containerResource) return `failed to get ${containerResource.container} container metric value`
  if (external) return `failed to get ${external.metric.name} external metric value`
  return `failed to get ${type.toLowerCase()} metric value`
}

/** Which step of it, where a metric has several. */
const stepOf = ({ resource, containerResource }: Frozen<MetricSpec>): string => {
  const source = resource ?? containerResource
  if (!source) return ''
  return `failed to get ${source.name} ${source.target.averageUtilization === undefined ? 'usage' : 'utilization'}: `
}

const compute = (metric: Frozen<MetricSpec>, target: Target, c: C): Promise<Proposal> => {
  const { resource, containerResource, pods: podsMetric, object, external } = metric
  if (resource) return forResource(resource, target, c)
  if (containerResource) return forResource(containerResource, target, c)
  if (podsMetric) return forPods(podsMetric, target, c)
  if (object) return forObject(object, target, c)
  if (external) return forExternal(external, target, c)
  throw new Error('the metric has no source')
}

function targetPods({ namespace, selector }: SelectedPods, c: C): Frozen<Pod>[] {
  const matcher = parseLabelSelector(selector)
  return c
    .of(pods)
    .list(namespace)
    .filter((pod) => matcher.matches(labelsOf(pod)))
}

/** Of the pods, or of one container of each. */
async function forResource(
  { name, target: goal, container }: Frozen<ResourceMetricSource & Partial<ContainerResourceMetricSource>>,
  target: Target,
  c: C,
): Promise<Proposal> {
  const samples = await resourceSamples(c.client, target, name, container)
  const all = targetPods(target, c)
  const groups = groupPods(all, samples, name, { ...c.options, nowMs: c.clock.now() })
  const measured = { current: target.current, groups, samples, tolerance: target.tolerance }
  const average = averageOf(samples, groups.ready)
  const status = (current: { averageUtilization?: number; averageValue: string }): Frozen<MetricStatus> =>
    container === undefined
      ? { type: 'Resource', resource: { name, current } }
      : { type: 'ContainerResource', containerResource: { name, container, current } }
  const averageValue = quantity(average)
  if (goal.averageUtilization === undefined) {
    const wanted = milli(goal.averageValue)
    return {
      replicas: countForAverage(
        measured,
        () => wanted,
        () => wanted,
      ),
      name: `${name} resource`,
      status: status({ averageValue }),
    }
  }
  const percent = goal.averageUtilization
  const requests = requestsOf(all, name, container)
  const replicas = countForAverage(
    measured,
    (pod) => ((requests.get(pod) ?? 0) * percent) / 100,
    (pod) => ((requests.get(pod) ?? 0) * Math.max(100, percent)) / 100,
  )
  const requested = groups.ready.reduce((sum, pod) => sum + (requests.get(pod) ?? 0), 0)
  const used = groups.ready.reduce((sum, pod) => sum + (samples.get(pod)?.milli ?? 0), 0)
  const averageUtilization = Math.floor((used * 100) / requested)
  return {
    replicas,
    name: `${name} ${container === undefined ? 'resource' : 'container resource'} utilization (percentage of request)`,
    status: status({ averageUtilization, averageValue }),
  }
}

/** What each pod requests, in thousandths; utilization has no meaning without. */
function requestsOf(all: readonly Frozen<Pod>[], resource: string, container: string | undefined): Map<string, number> {
  return new Map(
    all.map((pod) => {
      const whole = container === undefined ? pod.spec?.resources?.requests : undefined
      if (whole && Object.keys(whole).length > 0) return [nameOf(pod), requestOfWhole(pod, resource)]
      const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
      const relevant = [...(pod.spec?.containers ?? []), ...sidecars].filter(
        ({ name }) => container === undefined || name === container,
      )
      if (relevant.length === 0) throw new Error(`container ${container ?? ''} not found in Pod ${nameOf(pod)}`)
      let sum = 0
      for (const { name, resources } of relevant) {
        const request = resources?.requests?.[resource]
        if (request === undefined)
          throw new Error(`missing request for ${resource} in container ${name} of Pod ${nameOf(pod)}`)
        sum += milli(request)
      }
      return [nameOf(pod), sum]
    }),
  )
}

/** Where the pod as a whole requests something, what it does not name is the sum of its containers. */
function requestOfWhole(pod: Frozen<Pod>, resource: string): number {
  const amount = podAmounts(pod, 'requests').get(resource)
  if (!amount) throw new Error(`missing pod-level request for ${resource} in Pod ${nameOf(pod)}`)
  return milliUnitsOf(amount)
}

async function forPods(
  { metric, target: goal }: Frozen<NonNullable<MetricSpec['pods']>>,
  target: Target,
  c: C,
): Promise<Proposal> {
  const samples = await podSamples(c.client, target, identity(metric))
  const groups = groupPods(targetPods(target, c), samples, '', { ...c.options, nowMs: c.clock.now() })
  const wanted = milli(goal.averageValue)
  const replicas = countForAverage(
    { current: target.current, groups, samples, tolerance: target.tolerance },
    () => wanted,
    () => wanted,
  )
  return {
    replicas,
    name: `pods metric ${metric.name}`,
    status: { type: 'Pods', pods: { metric, current: { averageValue: quantity(averageOf(samples, groups.ready)) } } },
  }
}

async function forObject(
  { metric, describedObject, target: goal }: Frozen<NonNullable<MetricSpec['object']>>,
  target: Target,
  c: C,
): Promise<Proposal> {
  const { resources } = await discover(c.client)
  const [group] = (describedObject.apiVersion ?? '').includes('/')
    ? (describedObject.apiVersion ?? '').split('/')
    : ['']
  const found = resources.find((each) => each.kind === describedObject.kind && each.group === group && each.preferred)
  if (!found) throw new Error(`no kind ${describedObject.kind} in ${describedObject.apiVersion}`)
  const value = await objectMilli(
    c.client,
    target.namespace,
    { resource: found.group ? `${found.plural}.${found.group}` : found.plural, name: describedObject.name },
    identity(metric),
  )
  const [replicas, current] = ofWhole(value, goal, target, c)
  return {
    replicas,
    name: `${describedObject.kind} metric ${metric.name}`,
    status: { type: 'Object', object: { metric, describedObject, current } },
  }
}

async function forExternal(
  { metric, target: goal }: Frozen<NonNullable<MetricSpec['external']>>,
  target: Target,
  c: C,
): Promise<Proposal> {
  const value = await externalMilli(c.client, target.namespace, identity(metric))
  const [replicas, current] = ofWhole(value, goal, target, c)
  return {
    replicas,
    name: `external metric ${metric.name}(${selectorText(metric.selector)})`,
    status: { type: 'External', external: { metric, current } },
  }
}

function ofWhole(
  value: number,
  goal: Frozen<MetricTarget>,
  target: Target,
  c: C,
): [number, { value?: string; averageValue?: string }] {
  const { tolerance } = target
  if (goal.averageValue !== undefined)
    return [
      countForShare(target.observed, value, milli(goal.averageValue), tolerance),
      { averageValue: quantity(Math.ceil(value / Math.max(1, target.observed))) },
    ]
  const readyPods = targetPods(target, c).filter(
    (pod) =>
      pod.status?.phase === 'Running' &&
      pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  ).length
  const ratio = value / milli(goal.value)
  return [countForValue(target.current, readyPods, ratio, tolerance), { value: quantity(value) }]
}

const milli = (text: string | undefined): number => milliUnitsOf(parseQuantity(text ?? '0'))
const quantity = (value: number): string => formatQuantity(milliQuantityOf(value))
const identity = (metric: { readonly name: string; readonly selector?: Parameters<typeof selectorText>[0] }) => ({
  name: metric.name,
  selector: selectorText(metric.selector),
})
const averageOf = (samples: Samples, names: readonly string[]): number =>
  names.length === 0
    ? 0
    : Math.floor(names.reduce((sum, name) => sum + (samples.get(name)?.milli ?? 0), 0) / names.length)
