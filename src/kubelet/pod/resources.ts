import { resourcePeak } from '../../api/core/pod-spec/resource-peak.ts'
import type { Container, Pod, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { cpuMillis, wholeAmount } from './amount.ts'
import { isRestartable } from './containers.ts'

/** Amounts by resource name: thousandths of cores for cpu, whole units for all else. */
export type Amounts = Readonly<Record<string, number>>

/** A pod's class of service: it decides its cgroup and who dies first when memory is short. */
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const amountOf = (name: string, quantity: string) => (name === 'cpu' ? cpuMillis(quantity) : wholeAmount(quantity))

/** A list of quantities as numbers. */
export function amountsOf(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  return Object.fromEntries(
    Object.entries(quantities ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]),
  )
}

function add(to: Record<string, number>, by: Amounts): void {
  for (const name in by) to[name] = (to[name] ?? 0) + by[name]!
}

function raise(to: Record<string, number>, other: Amounts): void {
  for (const name in other) to[name] = Math.max(to[name] ?? 0, other[name]!)
}

type Side = 'requests' | 'limits'

const of = (container: Frozen<Container>, side: Side) => amountsOf(container.resources?.[side])

/**
 * What the pod asks for as a whole: its containers and sidecars together, or an init container with the sidecars before it when that is more; then what is
 * asked for the pod itself, and its overhead.
 */
export function podAmounts(pod: Frozen<Pod>, side: Side): Amounts {
  const peak = resourcePeak<Record<string, number>>(pod.spec ?? { containers: [] }, {
    none: () => ({}),
    of: (container) => ({ ...of(container, side) }),
    add,
    raise,
  })
  const whole = { ...peak, ...amountsOf(pod.spec?.resources?.[side]) }
  // A limit that nobody set is none, with overhead too.
  for (const [name, amount] of Object.entries(amountsOf(pod.spec?.overhead)))
    if (side === 'requests' || whole[name] !== undefined) whole[name] = (whole[name] ?? 0) + amount
  return whole
}

const counted = ['cpu', 'memory'] as const

/** The pod's class: of itself when it has resources of its own, else of its containers. */
export function qosClass(pod: Frozen<Pod>): QosClass {
  const known = pod.status?.qosClass
  if (known === 'Guaranteed' || known === 'Burstable' || known === 'BestEffort') return known
  const own = pod.spec?.resources
  const all: readonly (Frozen<ResourceRequirements> | undefined)[] =
    own?.requests || own?.limits
      ? [own]
      : [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ resources }) => resources)
  let any = false
  let guaranteed = true
  for (const resources of all) {
    const [requests, limits] = [amountsOf(resources?.requests), amountsOf(resources?.limits)]
    for (const name of counted) {
      if (requests[name] || limits[name]) any = true
      if (!limits[name] || (requests[name] ?? limits[name]) !== limits[name]) guaranteed = false
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

/** The smallest and the largest values that the kernel takes. */
const sharesMin = 2
const sharesMax = 262_144
const quotaMinUs = 1000

/** CFS' period, where the configuration does not say otherwise. */
export const quotaPeriodUs = 100_000

/** CPU weight of cgroup v1 for thousandths of a core. */
export const cpuShares = (millis: number): number =>
  Math.min(sharesMax, Math.max(sharesMin, Math.floor((millis * 1024) / 1000)))

/** CPU quota for thousandths of a core; 0: no limit. */
export const cpuQuotaUs = (millis: number, periodUs = quotaPeriodUs): number =>
  millis === 0 ? 0 : Math.max(quotaMinUs, Math.floor((millis * periodUs) / 1000))

/** Guaranteed pods and critical ones die last, best-effort ones first; between them, who asked for less memory dies sooner. */
export function oomScoreAdj(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  nodeMemoryBytes: number,
  critical: boolean,
): number {
  if (critical) return -997
  const qos = qosClass(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  let request = of(container, 'requests')['memory'] ?? 0
  if (isSidecar(pod, container)) {
    const smallest = Math.min(...(pod.spec?.containers ?? []).map((one) => of(one, 'requests')['memory'] ?? 0))
    request = Math.max(request, Number.isFinite(smallest) ? smallest : 0)
  }
  const score = Math.floor(1000 - (1000 * request) / Math.max(1, nodeMemoryBytes))
  if (score < 1000 - 997) return 1000 - 997
  return score === 1000 ? 999 : score
}

const isSidecar = (pod: Frozen<Pod>, container: Frozen<Container>) =>
  isRestartable(container) && (pod.spec?.initContainers ?? []).some(({ name }) => name === container.name)
