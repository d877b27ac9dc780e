import { isIP } from 'node:net'
import { checkClusterIps } from '../../api/core/service-addresses.ts'
import { invalid } from '../../api/errors/api-error.ts'
import type { Service, ServiceSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { equal } from '../../api/validation/equal.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import { familyOf, type IpFamily } from './ip-range.ts'

type Old = Frozen<ServiceSpec> | undefined

/** Settles a Service's IP families and policy, from what it says, what it had, and what the cluster has. Throws 422. */
export function settleFamilies(
  service: Service,
  oldService: Frozen<Service> | undefined,
  families: readonly IpFamily[],
): void {
  const spec = service.spec!
  const old = oldService?.spec
  if (spec.type === 'ExternalName' || keepsPreferred(spec, old)) return
  const headlessWithoutSelector = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (headlessWithoutSelector ? 'RequireDualStack' : 'SingleStack')
  const errors = new FieldErrors()
  checkClusterIps(spec as Frozen<ServiceSpec>, old, errors)
  refuse(service, errors)
  if (old) shrink(spec, old, errors)
  checkCount(spec, errors)
  inferFamilies(spec, families, errors)
  refuse(service, errors)
  if (headlessWithoutSelector) {
    spec.ipFamilies = withSecond(
      spec.ipFamilies?.length ? spec.ipFamilies : [families[0]!],
      spec.ipFamilyPolicy !== 'SingleStack',
    )
    return
  }
  const at = field('spec')
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2)
    errors.invalid(
      at.child('ipFamilyPolicy'),
      spec.ipFamilyPolicy,
      'this cluster is not configured for dual-stack services',
    )
  spec.ipFamilies?.forEach((family, i) => {
    if (!families.includes(family as IpFamily))
      errors.invalid(at.child('ipFamilies').index(i), family, 'not configured on this cluster')
  })
  refuse(service, errors)
  spec.ipFamilies = withSecond(
    spec.ipFamilies?.length ? spec.ipFamilies : [families[0]!],
    spec.ipFamilyPolicy !== 'SingleStack' && families.length === 2,
  )
}

function withSecond(own: readonly string[], second: boolean): string[] {
  if (!second || own.length !== 1) return [...own]
  return [own[0]!, own[0] === 'IPv4' ? 'IPv6' : 'IPv4']
}

/** A Service that prefers two families and has not changed in that respect stays as it is, whatever the cluster has become. */
function keepsPreferred(spec: ServiceSpec, old: Old): boolean {
  if (
    !old ||
    spec.ipFamilyPolicy !== 'PreferDualStack' ||
    old.ipFamilyPolicy !== 'PreferDualStack' ||
    spec.type !== old.type
  )
    return false
  if (spec.clusterIP !== old.clusterIP && spec.clusterIP !== undefined && spec.clusterIP !== '') return false
  return equal(spec.clusterIPs, old.clusterIPs) && equal(spec.ipFamilies, old.ipFamilies)
}

function shrink(spec: ServiceSpec, old: Frozen<ServiceSpec>, errors: FieldErrors): void {
  const at = field('spec', 'ipFamilyPolicy')
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (equal(spec.clusterIPs, old.clusterIPs) && (spec.clusterIPs?.length ?? 0) > 1)
      spec.clusterIPs = spec.clusterIPs!.slice(0, 1)
    if (equal(spec.ipFamilies, old.ipFamilies) && (spec.ipFamilies?.length ?? 0) > 1)
      spec.ipFamilies = spec.ipFamilies!.slice(0, 1)
    return
  }
  if (isReduced(spec.clusterIPs, old.clusterIPs))
    errors.invalid(at, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP")
  if (isReduced(spec.ipFamilies, old.ipFamilies))
    errors.invalid(at, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family")
}

/** One of two is left, and it is the first. */
const isReduced = (now: readonly string[] | undefined, before: readonly string[] | undefined): boolean =>
  now?.length === 1 && before !== undefined && before.length > 1 && now[0] === before[0]

function checkCount(spec: ServiceSpec, errors: FieldErrors): void {
  if (spec.ipFamilyPolicy !== 'SingleStack') return
  const at = field('spec', 'ipFamilyPolicy')
  if (spec.clusterIPs?.length === 2)
    errors.invalid(
      at,
      spec.ipFamilyPolicy,
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
    )
  if (spec.ipFamilies?.length === 2)
    errors.invalid(
      at,
      spec.ipFamilyPolicy,
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    )
}

function inferFamilies(spec: ServiceSpec, families: readonly IpFamily[], errors: FieldErrors): void {
  spec.clusterIPs?.forEach((ip, i) => {
    if (isIP(ip) === 0 || i < (spec.ipFamilies?.length ?? 0)) return
    const family = familyOf(ip)
    if (!families.includes(family))
      errors.invalid(
        field('spec', 'clusterIPs').index(i),
        spec.clusterIPs,
        `${family} is not configured on this cluster`,
      )
    else (spec.ipFamilies ??= []).push(family)
  })
}

/** Refuses a Service with errors. */
export function refuse(service: Service, errors: FieldErrors): void {
  if (!errors.empty) throw invalid('', 'Service', service.metadata?.name ?? '', errors)
}
