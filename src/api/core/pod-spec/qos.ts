import type { Pod, PodSpec } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import { nanos } from '../../validation/quantities.ts'

type Amounts = Readonly<Record<string, string>> | undefined
const computes = ['cpu', 'memory'] as const

/** The stored class of a Pod, or what its spec gives. */
export const qosOf = (pod: Frozen<Pod>): string => pod.status?.qosClass || computeQos(pod.spec)

/** Guaranteed, Burstable or BestEffort: by what is asked for of CPU and memory. */
export function computeQos(spec: Frozen<PodSpec> | undefined): string {
  const requests = new Map<string, bigint>()
  const limits = new Map<string, bigint>()
  const all = spec?.resources
    ? [spec.resources]
    : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ resources }) => resources)
  let limited = true
  for (const resources of all) {
    add(requests, resources?.requests)
    add(limits, resources?.limits)
    // A Pod's own resources without limits do not rule the best class out here: the comparison below does.
    const exempt = spec?.resources && !Object.keys(resources?.limits ?? {}).length
    if (!exempt && !computes.every((name) => nanos(resources?.limits?.[name]) > 0n)) limited = false
  }
  if (!requests.size && !limits.size) return 'BestEffort'
  const equal =
    requests.size === limits.size && Array.from(requests).every(([name, amount]) => limits.get(name) === amount)
  return limited && equal ? 'Guaranteed' : 'Burstable'
}

function add(sums: Map<string, bigint>, amounts: Amounts): void {
  for (const name of computes) {
    const amount = nanos(amounts?.[name])
    if (amount > 0n) sums.set(name, (sums.get(name) ?? 0n) + amount)
  }
}
