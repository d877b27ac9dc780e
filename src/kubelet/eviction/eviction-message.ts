import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { formatQuantity, quantityOf } from '../../api/quantity/quantity.ts'
import type { Shortage } from './node-pressure.ts'
import { amountOf } from '../pod/amount.ts'

/** Why a pod goes, in upstream's words: what was short, and which of its containers use more of that than they asked for. `usedBy`: what each uses. */
export function evictionMessage(
  { resource, thresholdText, availableText }: Shortage,
  pod: Frozen<Pod>,
  usedBy: ReadonlyMap<string, number>,
): string {
  const parts = [
    `The node was low on resource: ${resource}. Threshold quantity: ${thresholdText}, available: ${availableText}. `,
  ]
  const asked = new Map(
    [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(({ name, resources }) => [
      name,
      resources?.requests?.[resource] ?? '0',
    ]),
  )
  for (const [name, used] of usedBy) {
    const request = asked.get(name)
    if (request !== undefined && used > amountOf(request))
      parts.push(
        `Container ${name} was using ${bytesText(used)}, request is ${request}, has larger consumption of ${resource}. `,
      )
  }
  return parts.join('')
}

/** 104857600 → '100Mi' */
export const bytesText = (bytes: number): string => formatQuantity(quantityOf(Math.floor(bytes), 'BinarySI'))
