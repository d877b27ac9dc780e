import type { Container } from '../../generated/types/core-v1.ts'
import { addQuantities, compareQuantities, formatQuantity, type Quantity } from '../../quantity/quantity.ts'
import type { Frozen } from '../../resource.ts'
import { amountOf } from '../../validation/quantities.ts'
import { isPodLevel } from '../resource-names.ts'
import { countedResources, type PodResources } from './counted-resources.ts'
import { resourcePeak } from './resource-peak.ts'

/** Exact amounts by resource. */
export type Amounts = Map<string, Quantity>

/** A resource list as amounts. */
export const amountsOf = (list: Readonly<Record<string, string>> | undefined): Amounts =>
  new Map(Object.entries(list ?? {}).map(([name, text]) => [name, amountOf(text)]))

/** Amounts as a resource list; sums have the notation of the first amount. */
export const listOf = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries(Array.from(amounts, ([name, amount]) => [name, formatQuantity(amount)]))

/** Adds `by`, in place. */
export function addAmounts(to: Amounts, by: Amounts): void {
  for (const [name, amount] of by) {
    const before = to.get(name)
    to.set(name, before ? addQuantities(before, amount) : amount)
  }
}

function raise(to: Amounts, other: Amounts): void {
  for (const [name, amount] of other) {
    const before = to.get(name)
    if (!before || compareQuantities(before, amount) < 0) to.set(name, amount)
  }
}

/** What a Pod's containers ask for together, or are limited to, with resizes that are under way. */
export function containerAmounts(pod: PodResources, part: 'requests' | 'limits'): Amounts {
  const countedOf = countedResources(pod, part)
  const of = (container: Frozen<Container>) => {
    const [first, ...others] = countedOf(container)
    const counted = amountsOf(first)
    for (const list of others) raise(counted, amountsOf(list))
    return counted
  }
  return resourcePeak<Amounts>(pod.spec ?? { containers: [] }, { none: () => new Map(), of, add: addAmounts, raise })
}

/** The same with what is set for the Pod as a whole, which wins; without its overhead. */
export function podAmounts(pod: PodResources, part: 'requests' | 'limits'): Amounts {
  const total = containerAmounts(pod, part)
  for (const [name, amount] of amountsOf(pod.spec?.resources?.[part])) if (isPodLevel(name)) total.set(name, amount)
  return total
}
