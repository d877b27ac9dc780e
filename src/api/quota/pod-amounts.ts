import { addQuantities, compareQuantities, formatQuantity, parseQuantity, type Quantity } from '../quantity/quantity.ts'
import type { Container, PodSpec } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'

/** Amounts by resource. */
export type Amounts = Map<string, Quantity>

/** A resource list as amounts. */
export const amountsOf = (list: Readonly<Record<string, string>> | undefined): Amounts => new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]))

/** Amounts as a resource list. */
export const listOf = (amounts: Amounts): Record<string, string> => Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]))

/** Adds what is in `more`. */
export function add(into: Amounts, more: Amounts): void {
  for (const [name, amount] of more) {
    const before = into.get(name)
    into.set(name, before ? addQuantities(before, amount) : amount)
  }
}

function raise(into: Amounts, to: Amounts): void {
  for (const [name, amount] of to) {
    const before = into.get(name)
    if (!before || compareQuantities(before, amount) < 0) into.set(name, amount)
  }
}

const podLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

/** What a pod needs of each resource: its containers together, or an init container with the sidecars started before it, whichever is more. */
export function podAmounts(spec: Frozen<PodSpec>, part: 'requests' | 'limits'): Amounts {
  const total: Amounts = new Map()
  const of = ({ resources }: Frozen<Container>) => amountsOf(resources?.[part])
  for (const container of spec.containers ?? []) add(total, of(container))
  const sidecars: Amounts = new Map()
  const initial: Amounts = new Map()
  for (const container of spec.initContainers ?? []) {
    const own = of(container)
    if (container.restartPolicy === 'Always') {
      add(total, own)
      add(sidecars, own)
      raise(initial, sidecars)
    } else {
      add(own, sidecars)
      raise(initial, own)
    }
  }
  raise(total, initial)
  for (const [name, amount] of amountsOf(spec.resources?.[part])) if (podLevel(name)) total.set(name, amount)
  return total
}
