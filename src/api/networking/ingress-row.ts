import type { Ingress } from '../generated/types/networking-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, loadBalancerCell, name } from '../table-format/cells.ts'

/** How many hosts are shown. */
const hostsMax = 3

/** What `kubectl get ingresses` shows. */
export function ingressRow(ingress: Frozen<Ingress>, nowMs: number): Cell[] {
  const { spec, status } = ingress
  return [
    name(ingress),
    spec?.ingressClassName ?? '<none>',
    hostsCell(ingress),
    loadBalancerCell(status?.loadBalancer?.ingress),
    spec?.tls?.length ? '80, 443' : '80',
    age(ingress, nowMs),
  ]
}

function hostsCell({ spec }: Frozen<Ingress>): string {
  const rules = spec?.rules ?? []
  const shown: string[] = []
  let more = false
  for (const { host } of rules) {
    if (shown.length === hostsMax) more = true
    if (!more && host) shown.push(host)
  }
  if (shown.length === 0) return '*'
  return more ? `${shown.join(',')} + ${rules.length - hostsMax} more...` : shown.join(',')
}
