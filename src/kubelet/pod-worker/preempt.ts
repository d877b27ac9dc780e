import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isCritical } from '../pod/containers.ts'
import { podAmounts, qosClass } from '../pod/resources.ts'

/** What a node lacks for a pod, by resource; nothing in it is 0. */
export type Shortfall = ReadonlyMap<string, number>

/** Who goes, or what even all of them together could not give. */
export type Preemption =
  | { readonly victims: readonly Frozen<Pod>[]; readonly lacking?: undefined }
  | { readonly victims?: undefined; readonly lacking: Shortfall }

const requestOf = (pod: Frozen<Pod>, name: string) => (name === 'pods' ? 1 : (podAmounts(pod, 'requests')[name] ?? 0))

/**
 * Which pods make room for a critical one: as few of the better classes as can be, since whoever asked for less stands back first. When all of them
 * together would not do: what is missing then. Pure.
 */
export function podsToPreempt(pod: Frozen<Pod>, others: readonly Frozen<Pod>[], missing: Shortfall): Preemption {
  const open = others.filter((other) => isPreemptable(pod, other))
  const lacking = without(missing, open)
  if (lacking.size > 0) return { lacking }
  const of = (qos: ReturnType<typeof qosClass>) => open.filter((other) => qosClass(other) === qos)
  const [bestEffort, burstable] = [of('BestEffort'), of('Burstable')]
  const fromGuaranteed = nearest(of('Guaranteed'), without(missing, [...bestEffort, ...burstable]))
  const fromBurstable = nearest(burstable, without(missing, [...bestEffort, ...fromGuaranteed]))
  const fromBestEffort = nearest(bestEffort, without(missing, [...fromBurstable, ...fromGuaranteed]))
  return { victims: [...fromBestEffort, ...fromBurstable, ...fromGuaranteed] }
}

const isPreemptable = (pod: Frozen<Pod>, other: Frozen<Pod>): boolean =>
  !isCritical(other) || (pod.spec?.priority ?? 0) > (other.spec?.priority ?? 0)

/** What is still missing when these are gone. */
const without = (missing: Shortfall, gone: readonly Frozen<Pod>[]): Shortfall =>
  new Map(
    [...missing]
      .map(([name, amount]) => [name, gone.reduce((left, pod) => left - requestOf(pod, name), amount)] as const)
      .filter(([, left]) => left > 0),
  )

/** One after the other the pod that comes nearest to what is missing; of two as near, the smaller one. */
function nearest(pods: readonly Frozen<Pod>[], missing: Shortfall): Frozen<Pod>[] {
  const found: Frozen<Pod>[] = []
  let left = [...pods]
  for (let need = missing; need.size > 0 && left.length > 0;) {
    const [first] = left.sort((a, b) => distance(a, need) - distance(b, need) || bulk(a, b))
    found.push(first!)
    left = left.slice(1)
    need = without(need, [first!])
  }
  return found
}

function distance(pod: Frozen<Pod>, missing: Shortfall): number {
  let sum = 0
  for (const [name, amount] of missing) sum += (Math.max(0, amount - requestOf(pod, name)) / amount) ** 2
  return sum
}

const bulk = (a: Frozen<Pod>, b: Frozen<Pod>): number =>
  requestOf(a, 'memory') - requestOf(b, 'memory') || requestOf(a, 'cpu') - requestOf(b, 'cpu')

/** As upstream's message lists it: [(res: cpu, q: 500), ] */
export const shortfallText = (missing: Shortfall): string =>
  `[${[...missing].map(([name, amount]) => `(res: ${name}, q: ${amount}), `).join('')}]`
