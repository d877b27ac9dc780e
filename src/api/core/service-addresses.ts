import type { ServiceSpec } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkLegacyIp, parseIp } from '../validation/ips.ts'
import { immutableText } from '../validation/names.ts'

type Spec = Frozen<ServiceSpec>

/** Has no address of its own: clients get the Pods'. */
export const isHeadless = ({ clusterIPs }: Spec): boolean => clusterIPs?.length === 1 && clusterIPs[0] === 'None'
/** Can be reached from outside the cluster. */
export const isExternal = ({ type, externalIPs }: Spec): boolean =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && !!externalIPs?.length)
/** Load balancers ask the nodes which of them have Pods. */
export const needsHealthCheck = ({ type, externalTrafficPolicy }: Spec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
/** Gets an address of the cluster. */
export const needsClusterIp = ({ type }: Spec): boolean => type !== 'ExternalName'
/** Gets a port on every node. */
export const needsNodePort = ({ type }: Spec): boolean => type === 'NodePort' || type === 'LoadBalancer'

/** Fills in what old clients, which know only one address, leave out or clear. */
export function alignClusterIps(spec: ServiceSpec, old?: Spec): void {
  const { clusterIP = '' } = spec
  if (!old) {
    if (clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [clusterIP]
    return
  }
  const before = old.clusterIP ?? ''
  const oldIps = [...(old.clusterIPs ?? [])]
  if (oldIps.length && !spec.clusterIPs?.length && before === clusterIP) spec.clusterIPs = oldIps
  if (before === clusterIP || !equal(spec.clusterIPs, oldIps)) return
  // Only the single one was changed or cleared: the list follows. The comparison with it never holds when one was cleared.
  if (before && !clusterIP) return
  if (clusterIP) spec.clusterIPs = [clusterIP]
}

/** A client that sends the object as it first made it keeps what was allocated since. */
export function keepAllocated(spec: ServiceSpec, old: Spec): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs]
  }
  if (needsNodePort(old) && needsNodePort(spec)) {
    const now = new Set(spec.ports?.map(({ nodePort }) => nodePort))
    const used = new Set((old.ports ?? []).map(({ nodePort }) => nodePort).filter((port) => port && now.has(port)))
    const byName = new Map(old.ports?.map(({ name = '', nodePort }) => [name, nodePort]))
    for (const port of spec.ports ?? []) {
      const before = byName.get(port.name ?? '')
      if (port.nodePort || !before || used.has(before)) continue
      port.nodePort = before
      used.add(before)
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && old.healthCheckNodePort)
    spec.healthCheckNodePort ||= old.healthCheckNodePort
}

/** A change of type takes away fields that the new one lacks, unless the client changed them too. */
export function dropWhatTypeLacks(spec: ServiceSpec, old: Spec): void {
  if (needsClusterIp(old) && !needsClusterIp(spec)) {
    if (spec.clusterIP === old.clusterIP && equal(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (equal(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  const had = new Set(old.ports?.map(({ nodePort }) => nodePort ?? 0))
  if (
    needsNodePort(old) &&
    !needsNodePort(spec) &&
    (spec.ports ?? []).every(({ nodePort }) => !nodePort || had.has(nodePort))
  )
    for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
    delete spec.healthCheckNodePort
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (isExternal(old) && !isExternal(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy)
    delete spec.externalTrafficPolicy
}

const families = ['IPv4', 'IPv6']
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

/** Addresses of the cluster and their families fit together. */
export function checkClusterIps(spec: Spec, old: Spec | undefined, errors: FieldErrors): void {
  if (spec.type === 'ExternalName') return
  const at = field('spec', 'clusterIPs')
  const { clusterIP = '', clusterIPs: ips = [], ipFamilies = [], ipFamilyPolicy: policy } = spec
  if (clusterIP) {
    if (!ips.length) errors.required(at)
    else if (ips[0] !== clusterIP) errors.invalid(at, ips, 'first value must match `clusterIP`')
  } else if (ips.length) errors.invalid(at, ips, 'must be empty when `clusterIP` is not specified')
  ipFamilies.forEach((family, i) => {
    if (!families.includes(family)) errors.notSupported(field('spec', 'ipFamilies').index(i), family, families)
    if (ipFamilies.indexOf(family) < i) errors.duplicate(field('spec', 'ipFamilies').index(i), family)
  })
  if (policy !== undefined && !familyPolicies.includes(policy))
    errors.notSupported(field('spec', 'ipFamilyPolicy'), policy, familyPolicies)
  const valid = checkIps(ips, old?.clusterIPs ?? [], at, errors)
  if (ips.length > 2) errors.invalid(at, ips, 'may only hold up to 2 values')
  if (!valid) return
  const sizes = ips.map((ip) => parseIp(ip)?.bytes.length)
  if (ips.length > 1 && new Set(sizes).size !== 2)
    errors.invalid(at, ips, 'may specify no more than one IP for each IP family')
  if (isHeadless(spec)) return
  ips.forEach((ip, i) => {
    const family = ipFamilies[i]
    const is6 = sizes[i] === 16
    if ((family === 'IPv4' && is6) || (family === 'IPv6' && !is6))
      errors.invalid(at.index(i), ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)
  })
}

function checkIps(ips: readonly string[], old: readonly string[], at: FieldPath, errors: FieldErrors): boolean {
  const before = errors.list.length
  ips.forEach((ip, i) => {
    if (i === 0 && ip === 'None') {
      if (ips.length > 1) errors.invalid(at, ips, "'None' must be the first and only value")
    } else if (!old.includes(ip)) checkLegacyIp(ip, at.index(i), errors)
  })
  return errors.list.length === before
}

/** What of the addresses may change: a second one may come or go, the first one stays. */
export function checkAddressChange(spec: Spec, old: Spec, errors: FieldErrors): void {
  if (old.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && old.loadBalancerClass !== spec.loadBalancerClass) {
    errors.invalid(field('spec', 'loadBalancerClass'), spec.loadBalancerClass, 'may not change once set')
  }
  // Upstream tells of a wrong class once more on updates.
  if (
    needsHealthCheck(old) &&
    needsHealthCheck(spec) &&
    (old.healthCheckNodePort ?? 0) !== (spec.healthCheckNodePort ?? 0)
  )
    errors.forbidden(field('spec', 'healthCheckNodePort'), immutableText)
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return
  if (!(isHeadless(old) && isHeadless(spec))) checkListChange(spec, old, 'clusterIPs', errors)
  if (!isHeadless(old) && !isHeadless(spec)) checkListChange(spec, old, 'ipFamilies', errors)
}

function checkListChange(spec: Spec, old: Spec, name: 'clusterIPs' | 'ipFamilies', errors: FieldErrors): void {
  const now = spec[name] ?? []
  const before = old[name] ?? []
  const at = field('spec', name)
  const one = name === 'clusterIPs' ? 'clusterIP' : 'ipFamily'
  const never = 'may not change once set'
  if (now.length === before.length) {
    before.forEach((value, i) => {
      if (value !== now[i]) errors.invalid(at.index(name === 'clusterIPs' ? i : 0), now, never)
    })
    return
  }
  if (now.length < before.length) {
    if (!(spec.clusterIPs ?? []).length) errors.invalid(at.index(0), now, `primary ${one} can not be unset`)
    if (now.length && now[0] !== before[0]) errors.invalid(at.index(0), now, never)
    if (now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
      errors.invalid(
        field('spec', 'ipFamilyPolicy'),
        spec.ipFamilyPolicy,
        `must be set to 'SingleStack' when releasing the secondary ${one}`,
      )
  } else if (before.length && now[0] !== before[0]) errors.invalid(at.index(0), now, never)
}
