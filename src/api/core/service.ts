import { services } from '../generated/resources.ts'
import type { LoadBalancerStatus, Service, ServicePort, ServiceSpec } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkLegacyCidr, checkLegacyIp, cidrWarnings, ipWarnings, parseIp } from '../validation/ips.ts'
import { checkLabels } from '../validation/labels.ts'
import { dns1035LabelErrors, isLabel, isPortNumber, isQualifiedName, isSubdomain } from '../validation/names.ts'
import { checkEndpointIp } from './endpoint-addresses.ts'
import { portProtocols } from './pod-spec/containers.ts'
import { checkPort } from './pod-spec/probes.ts'
import {
  alignClusterIps,
  checkAddressChange,
  checkClusterIps,
  dropWhatTypeLacks,
  isExternal,
  isHeadless,
  keepAllocated,
  needsHealthCheck,
} from './service-addresses.ts'
import { serviceRow } from './service-row.ts'

const noSpec: Frozen<ServiceSpec> = {}
const affinitySecondsMax = 86_400

/** What a Service does. Allocating addresses and ports is the API server's work, since it needs to know of all others. */
export const serviceDefinition = defineKind(services, {
  row: serviceRow,
  status: true,
  generation: false,
  createOnUpdate: true,
  nameErrors: dns1035LabelErrors,
  fields: { 'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '', 'spec.type': ({ spec }) => spec?.type ?? '' },
  defaults(service) {
    defaultSpec(ensure(service, 'spec'))
    if (service.spec?.type === 'LoadBalancer')
      for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
  },
  prepareCreate: ({ spec }) => spec && alignClusterIps(spec),
  prepareUpdate(service, old, { subresource }) {
    if (subresource === 'status' || !service.spec || !old.spec) return
    keepAllocated(service.spec, old.spec)
    alignClusterIps(service.spec, old.spec)
    dropWhatTypeLacks(service.spec, old.spec)
    if (service.spec.type !== 'LoadBalancer' && service.status) service.status.loadBalancer = {}
  },
  validate: (service, errors) => checkService(service, undefined, errors),
  validateUpdate(service, old, errors, { subresource }) {
    const spec = service.spec ?? noSpec
    if (subresource === 'status')
      return checkLoadBalancerStatus(service.status?.loadBalancer ?? {}, old.status?.loadBalancer, spec, errors)
    checkAddressChange(spec, old.spec ?? noSpec, errors)
    checkService(service, old, errors)
  },
  canonicalize({ spec }) {
    if (spec?.type === 'ExternalName') delete spec.internalTrafficPolicy
  },
  warnings,
})

function defaultSpec(spec: ServiceSpec): void {
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } }
  spec.type ||= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    port.targetPort ||= port.port
  }
  if (isExternal(spec)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer')
    spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
}

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']

function checkService(
  { metadata, spec = noSpec }: Frozen<Service>,
  old: Frozen<Service> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const annotations = metadata.annotations ?? {}
  const [mode, hints] = [
    annotations['service.kubernetes.io/topology-mode'],
    annotations['service.kubernetes.io/topology-aware-hints'],
  ]
  if (mode !== undefined && hints !== undefined && mode !== hints) {
    errors.invalid(
      field('metadata', 'annotations').key('service.kubernetes.io/topology-mode'),
      mode,
      'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
    )
  }
  checkType(spec, at, errors)
  checkPorts(spec, at.child('ports'), errors)
  checkLabels(spec.selector, at.child('selector'), errors)
  checkAffinity(spec, at, errors)
  checkClusterIps(spec, old?.spec, errors)
  spec.externalIPs?.forEach((ip, i) => {
    const path = at.child('externalIPs').index(i)
    if (!old?.spec?.externalIPs?.includes(ip) && !parseIp(ip)) checkLegacyIp(ip, path, errors)
    else checkEndpointIp(ip, path, errors)
  })
  checkSourceRanges(annotations, spec, old, errors)
  checkLoadBalancerFields(spec, at, errors)
  checkPolicies(spec, at, errors)
}

function checkType(spec: Frozen<ServiceSpec>, at: FieldPath, errors: FieldErrors): void {
  const { type = '', ports, clusterIPs = [], ipFamilies, ipFamilyPolicy } = spec
  if (!ports?.length && !isHeadless(spec) && type !== 'ExternalName') errors.required(at.child('ports'))
  if (isHeadless(spec) && (type === 'LoadBalancer' || type === 'NodePort'))
    errors.invalid(at.child('clusterIPs').index(0), clusterIPs[0], `may not be set to 'None' for ${type} services`)
  if (type === 'ExternalName') {
    const why = 'may not be set for ExternalName services'
    if (clusterIPs.length) errors.forbidden(at.child('clusterIPs'), why)
    if (ipFamilies?.length) errors.forbidden(at.child('ipFamilies'), why)
    if (ipFamilyPolicy !== undefined) errors.forbidden(at.child('ipFamilyPolicy'), why)
    const name = (spec.externalName ?? '').replace(/\.$/, '')
    if (!name) errors.required(at.child('externalName'))
    else for (const text of isSubdomain(name)) errors.invalid(at.child('externalName'), name, text)
  }
  if (!type) errors.required(at.child('type'))
  else if (!types.includes(type)) errors.notSupported(at.child('type'), type, types)
}

function checkPorts({ ports = [], type }: Frozen<ServiceSpec>, at: FieldPath, errors: FieldErrors): void {
  const names = new Set<string>()
  const nodePorts = new Set<string>()
  const numbers = new Set<string>()
  ports.forEach((port, i) => {
    const path = at.index(i)
    checkServicePort(port, ports.length > 1, path, errors)
    const { name, protocol, nodePort } = port
    if (name && names.has(name)) errors.duplicate(path.child('name'), name)
    if (name) names.add(name)
    if (nodePort) {
      if (type === 'ClusterIP') errors.forbidden(path.child('nodePort'), "may not be used when `type` is 'ClusterIP'")
      const id = `${protocol} ${nodePort}`
      if (nodePorts.has(id)) errors.duplicate(path.child('nodePort'), nodePort)
      nodePorts.add(id)
    }
    const id = `${protocol} ${port.port}`
    if (numbers.has(id)) errors.duplicate(path, { protocol, port: port.port })
    numbers.add(id)
  })
}

function checkServicePort(
  { name, port = 0, protocol, targetPort, appProtocol }: Frozen<ServicePort>,
  nameRequired: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (nameRequired && !name) errors.required(at.child('name'))
  else if (name) for (const text of isLabel(name)) errors.invalid(at.child('name'), name, text)
  for (const text of isPortNumber(port)) errors.invalid(at.child('port'), port, text)
  if (!protocol) errors.required(at.child('protocol'))
  else if (!portProtocols.includes(protocol)) errors.notSupported(at.child('protocol'), protocol, portProtocols)
  checkPort(targetPort, at.child('targetPort'), errors)
  if (appProtocol !== undefined)
    for (const text of isQualifiedName(appProtocol)) errors.invalid(at.child('appProtocol'), appProtocol, text)
}

function checkAffinity(
  { sessionAffinity: affinity, sessionAffinityConfig: config }: Frozen<ServiceSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const path = at.child('sessionAffinityConfig')
  if (!affinity) errors.required(at.child('sessionAffinity'))
  else if (affinity !== 'ClientIP' && affinity !== 'None')
    errors.notSupported(at.child('sessionAffinity'), affinity, ['ClientIP', 'None'])
  if (affinity === 'None' && config) errors.forbidden(path, 'must not be set when session affinity is None')
  if (affinity !== 'ClientIP') return
  const why = 'when session affinity type is ClientIP'
  const seconds = config?.clientIP?.timeoutSeconds
  if (!config) errors.required(path, why)
  else if (!config.clientIP) errors.required(path.child('clientIP'), why)
  else if (seconds === undefined) errors.required(path.child('clientIP', 'timeoutSeconds'), why)
  else if (seconds <= 0 || seconds > affinitySecondsMax)
    errors.invalid(
      path.child('clientIP', 'timeoutSeconds'),
      seconds,
      `must be greater than 0 and less than ${affinitySecondsMax}`,
    )
}

const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'

function checkSourceRanges(
  annotations: Readonly<Record<string, string>>,
  spec: Frozen<ServiceSpec>,
  old: Frozen<Service> | undefined,
  errors: FieldErrors,
): void {
  const ranges = spec.loadBalancerSourceRanges ?? []
  const annotation = annotations[rangesAnnotation]
  const why = "may only be used when `type` is 'LoadBalancer'"
  if (ranges.length) {
    const at = field('spec', 'LoadBalancerSourceRanges')
    if (spec.type !== 'LoadBalancer') errors.forbidden(at, why)
    const had = new Set(old?.spec?.loadBalancerSourceRanges?.map((range) => range.trim()))
    ranges.forEach((range, i) => !had.has(range.trim()) && checkLegacyCidr(range.trim(), at.index(i), errors))
  } else if (annotation !== undefined) {
    const at = field('metadata', 'annotations').key(rangesAnnotation)
    if (spec.type !== 'LoadBalancer') errors.forbidden(at, why)
    if (old?.metadata.annotations?.[rangesAnnotation] !== annotation && annotation.trim())
      for (const range of annotation.split(',')) checkLegacyCidr(range.trim(), at, errors)
  }
}

function checkLoadBalancerFields(
  { type, allocateLoadBalancerNodePorts: allocate, loadBalancerClass }: Frozen<ServiceSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const why = "may only be used when `type` is 'LoadBalancer'"
  if (type !== 'LoadBalancer') {
    if (allocate !== undefined) errors.forbidden(at.child('allocateLoadBalancerNodePorts'), why)
    if (loadBalancerClass !== undefined) errors.forbidden(at.child('loadBalancerClass'), why)
    return
  }
  if (allocate === undefined) errors.required(field('allocateLoadBalancerNodePorts'))
  if (loadBalancerClass !== undefined)
    for (const text of isQualifiedName(loadBalancerClass))
      errors.invalid(at.child('loadBalancerClass'), loadBalancerClass, text)
}

const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode']

function checkPolicies(spec: Frozen<ServiceSpec>, at: FieldPath, errors: FieldErrors): void {
  const {
    type = '',
    externalTrafficPolicy: external = '',
    internalTrafficPolicy: internal,
    healthCheckNodePort: health = 0,
    trafficDistribution,
  } = spec
  const externalAt = at.child('externalTrafficPolicy')
  if (!isExternal(spec)) {
    if (external) errors.invalid(externalAt, external, 'may only be set for externally-accessible services')
  } else if (!external) errors.required(externalAt)
  else if (external !== 'Cluster' && external !== 'Local')
    errors.notSupported(externalAt, external, ['Cluster', 'Local'])
  const healthAt = at.child('healthCheckNodePort')
  if (!needsHealthCheck(spec)) {
    if (health)
      errors.invalid(
        healthAt,
        health,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      )
  } else if (!health) errors.required(healthAt)
  else for (const text of isPortNumber(health)) errors.invalid(healthAt, health, text)
  const internalAt = at.child('internalTrafficPolicy')
  if (internal === undefined) {
    if (type !== 'ExternalName' && types.includes(type)) errors.required(internalAt)
  } else if (internal !== 'Cluster' && internal !== 'Local')
    errors.notSupported(internalAt, internal, ['Cluster', 'Local'])
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution))
    errors.notSupported(at.child('trafficDistribution'), trafficDistribution, distributions)
}

function checkLoadBalancerStatus(
  { ingress = [] }: Frozen<LoadBalancerStatus>,
  old: Frozen<LoadBalancerStatus> | undefined,
  spec: Frozen<ServiceSpec>,
  errors: FieldErrors,
): void {
  const at = field('status', 'loadBalancer', 'ingress')
  if (spec.type !== 'LoadBalancer' && ingress.length)
    return errors.forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")
  const had = new Set(old?.ingress?.map(({ ip }) => ip))
  ingress.forEach(({ ip, ipMode, hostname }, i) => {
    const path = at.index(i)
    if (ip && !had.has(ip)) checkLegacyIp(ip, path.child('ip'), errors)
    if (ipMode === undefined) {
      if (ip) errors.required(path.child('ipMode'), 'must be specified when `ip` is set')
    } else if (!ip) errors.forbidden(path.child('ipMode'), 'may not be specified when `ip` is not set')
    else if (ipMode !== 'VIP' && ipMode !== 'Proxy') errors.notSupported(path.child('ipMode'), ipMode, ['Proxy', 'VIP'])
    if (!hostname) return
    for (const text of isSubdomain(hostname)) errors.invalid(path.child('hostname'), hostname, text)
    if (parseIp(hostname)) errors.invalid(path.child('hostname'), hostname, 'must be a DNS name, not an IP address')
  })
}

function warnings(service: Frozen<Service>, _old: Frozen<Service> | undefined, subresource: string): string[] {
  if (subresource === 'status')
    return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) =>
      ip ? ipWarnings(ip, field('status', 'loadBalancer', 'ingress').index(i)) : [],
    )
  const { metadata, spec = noSpec } = service
  const at = field('spec')
  const found: string[] = []
  if (metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined) {
    found.push(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    )
  }
  if (spec.clusterIP && spec.clusterIP !== 'None')
    spec.clusterIPs?.forEach((ip, i) => found.push(...ipWarnings(ip, at.child('clusterIPs').index(i))))
  if (spec.type === 'ClusterIP' && spec.clusterIP === 'None') {
    if (spec.loadBalancerIP) found.push('spec.loadBalancerIP is ignored for headless services')
    if (spec.externalIPs?.length) found.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') found.push('spec.SessionAffinity is ignored for headless services')
  }
  spec.externalIPs?.forEach((ip, i) => found.push(...ipWarnings(ip, at.child('externalIPs').index(i))))
  if (spec.loadBalancerIP) found.push(...ipWarnings(spec.loadBalancerIP, at.child('loadBalancerIP')))
  spec.loadBalancerSourceRanges?.forEach((cidr, i) =>
    found.push(...cidrWarnings(cidr, at.child('loadBalancerSourceRanges').index(i))),
  )
  if (spec.type === 'ExternalName' && spec.externalIPs?.length)
    found.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (spec.type !== 'ExternalName' && spec.externalName)
    found.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose')
    found.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  return found
}
