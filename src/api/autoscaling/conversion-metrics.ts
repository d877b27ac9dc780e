import type {
  ExternalMetricStatus,
  MetricSpec,
  MetricStatus,
  ObjectMetricStatus,
} from '../generated/types/autoscaling-v2.ts'
import type { Frozen } from '../resource.ts'

/**
 * Metrics as the first version of autoscalers keeps them in annotations: flatter, with the target's type implied.
 */
interface FlatMetric {
  readonly type: string
  readonly object?: FlatObject & { readonly targetValue: string; readonly averageValue?: string }
  readonly pods?: Flat & { readonly targetAverageValue: string }
  readonly resource?: FlatResource
  readonly containerResource?: FlatResource & { readonly container: string }
  readonly external?: FlatExternal & { readonly targetValue?: string; readonly targetAverageValue?: string }
}

interface FlatStatus {
  readonly type: string
  readonly object?: FlatObject & { readonly currentValue: string; readonly averageValue?: string }
  readonly pods?: Flat & { readonly currentAverageValue: string }
  readonly resource?: FlatReached
  readonly containerResource?: FlatReached & { readonly container: string }
  readonly external?: FlatExternal & { readonly currentValue: string; readonly currentAverageValue?: string }
}

type Selector = NonNullable<NonNullable<MetricSpec['pods']>['metric']['selector']>
interface Flat {
  readonly metricName: string
  readonly selector?: Selector
}
interface FlatObject extends Flat {
  readonly target: { readonly kind: string; readonly name: string; readonly apiVersion?: string }
}
interface FlatExternal {
  readonly metricName: string
  readonly metricSelector?: Selector
}
interface FlatResource {
  readonly name: string
  readonly targetAverageUtilization?: number
  readonly targetAverageValue?: string
}
interface FlatReached {
  readonly name: string
  readonly currentAverageUtilization?: number
  readonly currentAverageValue: string
}

type Wide = Frozen<MetricSpec>
type WideStatus = Frozen<MetricStatus>

/** A present value under its name, else nothing. */
const maybe = <Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } =>
  value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value })

/** A reference with its fields in upstream's order. */
const reference = ({ kind, name, apiVersion }: FlatObject['target']): FlatObject['target'] => ({
  kind,
  name,
  ...maybe('apiVersion', apiVersion),
})

/** A v2 metric in the form of v2beta1, which the annotations of v1 hold. */
export function flatMetric({ type, object, pods, resource, containerResource, external }: Wide): FlatMetric {
  return {
    type,
    ...(object && {
      object: {
        target: reference(object.describedObject),
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        ...maybe('selector', object.metric.selector as Selector | undefined),
        ...maybe('averageValue', object.target.averageValue),
      },
    }),
    ...(pods && {
      pods: {
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? '0',
        ...maybe('selector', pods.metric.selector as Selector | undefined),
      },
    }),
    ...(resource && { resource: flatResource(resource) }),
    ...(containerResource && {
      containerResource: { ...flatResource(containerResource), container: containerResource.container },
    }),
    ...(external && {
      external: {
        metricName: external.metric.name,
        ...maybe('metricSelector', external.metric.selector as Selector | undefined),
        ...maybe('targetValue', external.target.value),
        ...maybe('targetAverageValue', external.target.averageValue),
      },
    }),
  }
}

const flatResource = ({ name, target }: NonNullable<Wide['resource']>): FlatResource => ({
  name,
  ...maybe('targetAverageUtilization', target.averageUtilization),
  ...maybe('targetAverageValue', target.averageValue),
})

/** The v2 form of a metric from an annotation of v1. */
export function wideMetric({ type, object, pods, resource, containerResource, external }: FlatMetric): MetricSpec {
  return {
    type,
    ...(object && {
      object: {
        describedObject: object.target,
        metric: { name: object.metricName, ...maybe('selector', object.selector) },
        target: {
          type: object.averageValue === undefined ? 'Value' : 'AverageValue',
          value: object.targetValue,
          ...maybe('averageValue', object.averageValue),
        },
      },
    }),
    ...(pods && {
      pods: {
        metric: { name: pods.metricName, ...maybe('selector', pods.selector) },
        target: { type: 'AverageValue', averageValue: pods.targetAverageValue },
      },
    }),
    ...(resource && { resource: wideResource(resource) }),
    ...(containerResource && {
      containerResource: { ...wideResource(containerResource), container: containerResource.container },
    }),
    ...(external && {
      external: {
        metric: { name: external.metricName, ...maybe('selector', external.metricSelector) },
        target: {
          type: external.targetValue === undefined ? 'AverageValue' : 'Value',
          ...maybe('value', external.targetValue),
          ...maybe('averageValue', external.targetAverageValue),
        },
      },
    }),
  }
}

const wideResource = ({
  name,
  targetAverageUtilization,
  targetAverageValue,
}: FlatResource): NonNullable<MetricSpec['resource']> => ({
  name,
  target: {
    type: targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
    ...maybe('averageUtilization', targetAverageUtilization),
    ...maybe('averageValue', targetAverageValue),
  },
})

/** The same for the current value of a metric. */
export function flatStatus({ type, object, pods, resource, containerResource, external }: WideStatus): FlatStatus {
  return {
    type,
    ...(object && { object: flatObjectStatus(object) }),
    ...(pods && {
      pods: {
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? '0',
        ...maybe('selector', pods.metric.selector as Selector | undefined),
      },
    }),
    ...(resource && { resource: flatReached(resource) }),
    ...(containerResource && {
      containerResource: { ...flatReached(containerResource), container: containerResource.container },
    }),
    ...(external && { external: flatExternalStatus(external) }),
  }
}

const flatObjectStatus = ({
  describedObject,
  metric,
  current,
}: Frozen<ObjectMetricStatus>): NonNullable<FlatStatus['object']> => ({
  target: reference(describedObject),
  metricName: metric.name,
  currentValue: current.value ?? '0',
  ...maybe('selector', metric.selector as Selector | undefined),
  ...maybe('averageValue', current.averageValue),
})

const flatExternalStatus = ({
  metric,
  current,
}: Frozen<ExternalMetricStatus>): NonNullable<FlatStatus['external']> => ({
  metricName: metric.name,
  ...maybe('metricSelector', metric.selector as Selector | undefined),
  currentValue: current.value ?? '0',
  ...maybe('currentAverageValue', current.averageValue),
})

const flatReached = ({ name, current }: NonNullable<WideStatus['resource']>): FlatReached => ({
  name,
  ...maybe('currentAverageUtilization', current.averageUtilization),
  currentAverageValue: current.averageValue ?? '0',
})

/** The v2 form of a current value from an annotation of v1. */
export function wideStatus({ type, object, pods, resource, containerResource, external }: FlatStatus): MetricStatus {
  return {
    type,
    ...(object && {
      object: {
        describedObject: object.target,
        metric: { name: object.metricName, ...maybe('selector', object.selector) },
        current: { value: object.currentValue, ...maybe('averageValue', object.averageValue) },
      },
    }),
    ...(pods && {
      pods: {
        metric: { name: pods.metricName, ...maybe('selector', pods.selector) },
        current: { averageValue: pods.currentAverageValue },
      },
    }),
    ...(resource && { resource: wideReached(resource) }),
    ...(containerResource && {
      containerResource: { ...wideReached(containerResource), container: containerResource.container },
    }),
    ...(external && {
      external: {
        metric: { name: external.metricName, ...maybe('selector', external.metricSelector) },
        current: { value: external.currentValue, ...maybe('averageValue', external.currentAverageValue) },
      },
    }),
  }
}

const wideReached = ({
  name,
  currentAverageUtilization,
  currentAverageValue,
}: FlatReached): NonNullable<MetricStatus['resource']> => ({
  name,
  current: { averageValue: currentAverageValue, ...maybe('averageUtilization', currentAverageUtilization) },
})
