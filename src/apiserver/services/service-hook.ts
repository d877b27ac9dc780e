import { isIP } from 'node:net'
import { alignClusterIps, keepAllocated } from '../../api/core/service-addresses.ts'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import type { WriteEnd, WriteHook } from '../verbs/core.ts'
import { AllocationError, type ClusterIps } from './cluster-ips.ts'
import { refuse, settleFamilies } from './ip-families.ts'
import { familyOf, type IpFamily } from './ip-range.ts'
import type { NodePorts } from './node-ports.ts'
import { allocatePorts, allocationFailed, claimedPorts, rehearsedPorts } from './port-allocation.ts'

/** What a write of a Service claims, to be given back when it comes to nothing; and what it no longer needs, to be given back when it succeeds. */
interface Claims {
  readonly ips: string[]
  readonly ports: number[]
  readonly releasedIps: string[]
}

/** Allocates the cluster IPs and node ports of Services. */
export function serviceHook(ips: ClusterIps, ports: NodePorts): WriteHook {
  return {
    async begin(draft, before, dryRun) {
      const service = draft as Service
      const old = before as Frozen<Service> | undefined
      const spec = (service.spec ??= {})
      spec.type ??= 'ClusterIP'
      if (old?.spec) keepAllocated(spec, old.spec)
      alignClusterIps(spec, old?.spec)
      settleFamilies(service, old, ips.families)
      const claims: Claims = { ips: [], ports: [], releasedIps: [] }
      try {
        await allocateIps({ service, old, ips, claims, dryRun })
        allocatePorts(service, old, dryRun ? rehearsedPorts(ports) : claimedPorts(ports, claims.ports))
      } catch (error) {
        await giveBack(claims, ips, ports, dryRun)
        throw error
      }
      return endOf(claims, ips, ports, dryRun)
    },
    async removed(last) {
      for (const ip of (last as Frozen<Service>).spec?.clusterIPs ?? []) if (isIP(ip) !== 0) await ips.release(ip)
    },
  }
}

async function giveBack(
  { ips: claimed, ports: taken }: Claims,
  ips: ClusterIps,
  ports: NodePorts,
  dryRun: boolean,
): Promise<void> {
  // A rehearsal has taken nothing.
  if (dryRun) return
  for (const port of taken) ports.giveUp(port)
  for (const ip of claimed) await ips.release(ip)
}

const endOf = (claims: Claims, ips: ClusterIps, ports: NodePorts, dryRun: boolean): WriteEnd => ({
  async commit() {
    if (dryRun) return
    for (const port of claims.ports) ports.settle(port)
    for (const ip of claims.releasedIps) await ips.release(ip)
  },
  revert: () => giveBack(claims, ips, ports, dryRun),
})

interface Allocation {
  readonly service: Service
  readonly old: Frozen<Service> | undefined
  readonly claims: Claims
}

async function allocateIps({
  service,
  old,
  ips,
  claims,
  dryRun,
}: Allocation & { ips: ClusterIps; dryRun: boolean }): Promise<void> {
  const spec = service.spec!
  const had = old?.spec?.type === 'ExternalName' ? [] : (old?.spec?.clusterIPs ?? []).filter((ip) => isIP(ip) !== 0)
  if (spec.type === 'ExternalName') {
    claims.releasedIps.push(...had)
    return
  }
  if (spec.clusterIPs?.[0] === 'None') return
  const owner = { namespace: service.metadata?.namespace ?? '', name: service.metadata?.name ?? '' }
  const wanted = [...(spec.clusterIPs ?? [])]
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    const asked = wanted[i] ?? ''
    // What is no address at all is for validation to refuse.
    if (asked !== '' && (had.includes(asked) || isIP(asked) === 0)) continue
    try {
      if (asked === '') wanted[i] = await ips.claimNext(family as IpFamily, owner, dryRun)
      else if (familyOf(asked) === family) await ips.claim(asked, owner, dryRun)
      else continue
      claims.ips.push(wanted[i]!)
    } catch (error) {
      throw asked === '' ? allocationFailed(error, 'failed to allocate a serviceIP') : refused(service, error, asked)
    }
  }
  if (wanted.length > 0) {
    spec.clusterIPs = wanted
    spec.clusterIP ??= wanted[0]!
    if (spec.clusterIP === '') spec.clusterIP = wanted[0]!
  }
  claims.releasedIps.push(...had.filter((ip) => !wanted.includes(ip)))
}

function refused(service: Service, error: unknown, ip: string): unknown {
  if (!(error instanceof AllocationError)) return error
  const errors = new FieldErrors()
  errors.invalid(field('spec', 'clusterIPs'), service.spec?.clusterIPs, `failed to allocate IP ${ip}: ${error.message}`)
  try {
    refuse(service, errors)
  } catch (refusal) {
    return refusal
  }
  return error
}
