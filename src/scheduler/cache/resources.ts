import { countedResources } from '../../api/core/pod-spec/counted-resources.ts'
import { resourcePeak } from '../../api/core/pod-spec/resource-peak.ts'
import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import { milliUnitsOf, parseQuantity, unitsOf } from '../../api/quantity/quantity.ts'
import type { Frozen } from '../../api/resource.ts'

/** Amounts of resources as numbers: CPU in thousandths of a core, memory and storage in bytes, everything else in units. */
export interface Resources {
  milliCpu: number
  memoryBytes: number
  ephemeralBytes: number
  /** Extended resources, huge pages; undefined when there are none, which is usual. */
  others: Map<string, number> | undefined
}

/** Nothing of anything. */
export const noResources = (): Resources => ({ milliCpu: 0, memoryBytes: 0, ephemeralBytes: 0, others: undefined })

type Quantities = Readonly<Record<string, string>> | undefined

/** A list of quantities as numbers, rounded up as upstream does. */
export function resourcesOf(list: Quantities): Resources {
  const out = noResources()
  for (const name in list) set(out, name, amountOf(name, list[name]!))
  return out
}

/** Parsed quantities by their text: the same few texts come again and again. */
const parsed = new Map<string, number>()
const parsedMax = 4096

/** One quantity as a number in the unit of its resource. */
export function amountOf(name: string, text: string): number {
  const key = name === 'cpu' ? `m${text}` : text
  let value = parsed.get(key)
  if (value === undefined) {
    value = name === 'cpu' ? milliUnitsOf(parseQuantity(text)) : unitsOf(parseQuantity(text))
    if (parsed.size >= parsedMax) parsed.clear()
    parsed.set(key, value)
  }
  return value
}

/** The amount of one resource. */
export function amount(resources: Resources, name: string): number {
  if (name === 'cpu') return resources.milliCpu
  if (name === 'memory') return resources.memoryBytes
  if (name === 'ephemeral-storage') return resources.ephemeralBytes
  return resources.others?.get(name) ?? 0
}

function set(resources: Resources, name: string, value: number): void {
  if (name === 'cpu') resources.milliCpu = value
  else if (name === 'memory') resources.memoryBytes = value
  else if (name === 'ephemeral-storage') resources.ephemeralBytes = value
  else if (name !== 'pods') (resources.others ??= new Map()).set(name, value)
}

/** Adds `by`, `times` over (-1 takes away), in place. */
export function addResources(to: Resources, by: Resources, times = 1): void {
  to.milliCpu += times * by.milliCpu
  to.memoryBytes += times * by.memoryBytes
  to.ephemeralBytes += times * by.ephemeralBytes
  if (by.others) for (const [name, value] of by.others) set(to, name, amount(to, name) + times * value)
}

/** Raises each amount to at least that of `other`, in place. */
function atLeast(to: Resources, other: Resources): void {
  to.milliCpu = Math.max(to.milliCpu, other.milliCpu)
  to.memoryBytes = Math.max(to.memoryBytes, other.memoryBytes)
  to.ephemeralBytes = Math.max(to.ephemeralBytes, other.ephemeralBytes)
  if (other.others) for (const [name, value] of other.others) set(to, name, Math.max(amount(to, name), value))
}

/** What scoring assumes for a container that asks for no CPU or memory, so that such Pods spread too. */
const assumedMilliCpu = 100
const assumedMemoryBytes = 200 * 1024 * 1024

/**
 * What a Pod takes of a node at its most, with resizes that are under way, and its overhead; amounts set for the Pod as a whole win. With `assumed`,
 * containers without CPU or memory count with upstream's defaults (for scoring).
 */
export function podRequests(pod: Frozen<Pod>, assumed: boolean): Resources {
  const { spec } = pod
  const countedOf = countedResources(pod, 'requests')
  const of = (container: Frozen<Container>) => {
    const lists = countedOf(container)
    const requests = resourcesOf(lists[0])
    for (let i = 1; i < lists.length; i++) atLeast(requests, resourcesOf(lists[i]))
    const unset = (name: string) => lists.every((list) => list?.[name] === undefined)
    if (assumed && unset('cpu')) requests.milliCpu = assumedMilliCpu
    if (assumed && unset('memory')) requests.memoryBytes = assumedMemoryBytes
    return requests
  }
  const total = resourcePeak(spec ?? { containers: [] }, { none: noResources, of, add: addResources, raise: atLeast })
  const whole = spec?.resources?.requests
  for (const name in whole) set(total, name, amountOf(name, whole[name]!))
  if (spec?.overhead) addResources(total, resourcesOf(spec.overhead))
  return total
}

/** Whether both take the same. */
export const sameResources = (a: Resources, b: Resources): boolean =>
  a.milliCpu === b.milliCpu &&
  a.memoryBytes === b.memoryBytes &&
  a.ephemeralBytes === b.ephemeralBytes &&
  [...new Set([...(a.others?.keys() ?? []), ...(b.others?.keys() ?? [])])].every(
    (name) => amount(a, name) === amount(b, name),
  )
