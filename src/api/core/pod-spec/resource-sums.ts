import type { Container, PodSpec } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import { addQuantities, type Quantity } from '../../quantity/quantity.ts'
import { amountOf, amountText } from '../../validation/quantities.ts'

type Amounts = Readonly<Record<string, string>> | undefined
type Sums = Map<string, Quantity>

/** What a Pod's containers ask for together: sidecars and containers add up, other init containers run alone before. */
export const aggregateRequests = (spec: Frozen<PodSpec>): Map<string, string> => asText(aggregate(spec, (container) => container.resources?.requests))

/** The same of limits. */
export const aggregateLimits = (spec: Frozen<PodSpec>): Map<string, string> => asText(aggregate(spec, (container) => container.resources?.limits))

function aggregate(spec: Frozen<PodSpec>, amountsOf: (container: Frozen<Container>) => Amounts): Sums {
  const total: Sums = new Map()
  for (const container of spec.containers ?? []) add(total, amountsOf(container))
  const sidecars: Sums = new Map()
  const peak: Sums = new Map()
  for (const container of spec.initContainers ?? []) {
    const amounts = amountsOf(container)
    if (container.restartPolicy === 'Always') {
      add(total, amounts)
      add(sidecars, amounts)
      raise(peak, sidecars)
    } else {
      const alone: Sums = new Map(sidecars)
      add(alone, amounts)
      raise(peak, alone)
    }
  }
  raise(total, peak)
  return total
}

function add(sums: Sums, amounts: Amounts): void {
  for (const name in amounts) sums.set(name, addQuantities(sums.get(name) ?? amountOf(undefined), amountOf(amounts[name])))
}

function raise(sums: Sums, to: Sums): void {
  for (const [name, amount] of to) if (amount.nano > (sums.get(name)?.nano ?? -1n)) sums.set(name, amount)
}

/** Sums in the notation of the first amount. */
const asText = (sums: Sums) => new Map(Array.from(sums, ([name, sum]) => [name, amountText(sum.nano, sum)]))
