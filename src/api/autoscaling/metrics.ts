import type {
  ContainerResourceMetricSource,
  ExternalMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from '../generated/types/autoscaling-v2.ts'
import { checkContainerResourceName } from '../core/resource-names.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isLabel } from '../validation/names.ts'
import { nanos } from '../validation/quantities.ts'
import { checkReference, checkSegment, type VersionRule } from './scale-target.ts'

const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
/** The fields of the types, in the order in which they are looked at. */
const fieldOf = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const
const sourceFields = Object.values(fieldOf)

/** The rules of what an autoscaler measures. */
export function checkMetrics(
  metrics: readonly Frozen<MetricSpec>[],
  at: FieldPath,
  errors: FieldErrors,
  options: { minReplicas: number | undefined; versions: VersionRule },
): void {
  metrics.forEach((metric, i) => checkMetric(metric, at.index(i), errors, options.versions))
  if (options.minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    errors.forbidden(at, 'must specify at least one Object or External metric to support scaling to zero replicas')
  }
}

function checkMetric(metric: Frozen<MetricSpec>, at: FieldPath, errors: FieldErrors, versions: VersionRule): void {
  const { type = '' } = metric
  if (!type) errors.required(at.child('type'), 'must specify a metric source type')
  if (!sourceTypes.includes(type)) errors.notSupported(at.child('type'), type, sourceTypes)
  checkSource(metric, at, errors, versions)
  const expected = fieldOf[type as keyof typeof fieldOf] as keyof MetricSpec | undefined
  if (!expected) errors.notSupported(at.child('type'), type, sourceTypes)
  else if (!metric[expected])
    errors.required(at.child(expected), 'must populate information for the given metric source')
  const present = sourceFields.filter((name) => metric[name])
  if (present.length === 1) return
  for (const name of present)
    if (name !== expected) errors.forbidden(at.child(name), 'must populate the given metric source only')
}

/** Of several sources, of which all but one are wrong, only the first is looked into. */
function checkSource(metric: Frozen<MetricSpec>, at: FieldPath, errors: FieldErrors, versions: VersionRule): void {
  const { object, external, pods, resource, containerResource } = metric
  if (object) checkObjectSource(object, at.child('object'), errors, versions)
  else if (external) checkExternalSource(external, at.child('external'), errors)
  else if (pods) checkPodsSource(pods, at.child('pods'), errors)
  else if (resource) checkResourceSource(resource, at.child('resource'), errors)
  else if (containerResource) checkContainerSource(containerResource, at.child('containerResource'), errors)
}

function checkObjectSource(
  { describedObject, metric, target }: Frozen<ObjectMetricSource>,
  at: FieldPath,
  errors: FieldErrors,
  versions: VersionRule,
): void {
  checkReference(describedObject, at.child('describedObject'), errors, versions)
  checkIdentifier(metric, at.child('metric'), errors)
  checkTarget(target, at.child('target'), errors)
  if (!given(target?.value) && !given(target?.averageValue))
    errors.required(at.child('target', 'averageValue'), 'must set either a target value or averageValue')
}

function checkExternalSource(
  { metric, target }: Frozen<ExternalMetricSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkIdentifier(metric, at.child('metric'), errors)
  checkTarget(target, at.child('target'), errors)
  const [value, average] = [given(target?.value), given(target?.averageValue)]
  if (!value && !average)
    errors.required(at.child('target', 'averageValue'), 'must set either a target value for metric or a per-pod target')
  if (value && average)
    errors.forbidden(at.child('target', 'value'), 'may not set both a target value for metric and a per-pod target')
}

function checkPodsSource({ metric, target }: Frozen<PodsMetricSource>, at: FieldPath, errors: FieldErrors): void {
  checkIdentifier(metric, at.child('metric'), errors)
  checkTarget(target, at.child('target'), errors)
  if (!given(target?.averageValue))
    errors.required(at.child('target', 'averageValue'), 'must specify a positive target averageValue')
}

function checkContainerSource(
  { name, container, target }: Frozen<ContainerResourceMetricSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!name) errors.required(at.child('name'), 'must specify a resource name')
  else checkContainerResourceName(name, at.child('name'), errors)
  if (!container) errors.required(at.child('container'), 'must specify a container')
  else for (const problem of isLabel(container)) errors.invalid(at.child('container'), container, problem)
  checkUtilization(target, at.child('target'), errors)
}

function checkResourceSource({ name, target }: Frozen<ResourceMetricSource>, at: FieldPath, errors: FieldErrors): void {
  if (!name) errors.required(at.child('name'), 'must specify a resource name')
  checkUtilization(target, at.child('target'), errors)
}

function checkUtilization(target: Frozen<MetricTarget> | undefined, at: FieldPath, errors: FieldErrors): void {
  checkTarget(target, at, errors)
  const [value, utilization] = [given(target?.averageValue), given(target?.averageUtilization)]
  if (!value && !utilization)
    errors.required(at.child('averageUtilization'), 'must set either a target raw value or a target utilization')
  if (value && utilization)
    errors.forbidden(at.child('averageValue'), 'may not set both a target raw value and a target utilization')
}

const given = (value: unknown): boolean => value !== undefined && value !== null

function checkTarget(target: Frozen<MetricTarget> | undefined, at: FieldPath, errors: FieldErrors): void {
  const { type = '', value, averageValue, averageUtilization } = target ?? {}
  if (!type) errors.required(at.child('type'), 'must specify a metric target type')
  if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue')
    errors.invalid(at.child('type'), type, 'must be either Utilization, Value, or AverageValue')
  if (value !== undefined && nanos(value) <= 0n) errors.invalid(at.child('value'), value, 'must be positive')
  if (averageValue !== undefined && nanos(averageValue) <= 0n)
    errors.invalid(at.child('averageValue'), averageValue, 'must be positive')
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.invalid(at.child('averageUtilization'), averageUtilization, 'must be greater than 0')
}

function checkIdentifier(metric: Frozen<MetricIdentifier> | undefined, at: FieldPath, errors: FieldErrors): void {
  checkSegment(metric?.name ?? '', at.child('name'), 'must specify a metric name', errors)
}
