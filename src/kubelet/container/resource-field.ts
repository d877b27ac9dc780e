import type { Container, Pod, ResourceFieldSelector } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { amountOf, cpuMillis, wholeAmount } from '../pod/amount.ts'
import { containerSpec } from '../pod/containers.ts'

/** The node's allocatable amounts: what a container without a limit may have. */
export type Allocatable = Readonly<Record<string, string>>

/** A container's resource as the downward API shows it: in units of the divisor, rounded up. */
export function resourceValue(
  selector: Frozen<ResourceFieldSelector>,
  pod: Frozen<Pod>,
  container: Frozen<Container> | undefined,
  allocatable: Allocatable,
): string {
  const named = selector.containerName ? containerSpec(pod, selector.containerName) : container
  if (!named) throw new Error(`container ${selector.containerName ?? ''} not found`)
  const [side, name] = splitOnce(selector.resource)
  if ((side !== 'limits' && side !== 'requests') || !name)
    throw new Error(`unsupported container resource : ${selector.resource}`)
  const quantity =
    named.resources?.[side]?.[name] ??
    (side === 'limits' ? (pod.spec?.resources?.limits?.[name] ?? allocatable[name]) : undefined)
  const divisor = selector.divisor && amountOf(selector.divisor) > 0 ? selector.divisor : '1'
  if (name === 'cpu') return String(Math.ceil(cpuMillis(quantity) / cpuMillis(divisor)))
  return String(Math.ceil(wholeAmount(quantity) / Math.max(1, wholeAmount(divisor))))
}

/** 'limits.hugepages-2Mi' → ['limits', 'hugepages-2Mi'] */
function splitOnce(text: string): [string, string] {
  const at = text.indexOf('.')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
