import type { Service } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, labelCell, loadBalancerCell, name } from '../table-format/cells.ts'

/** What `kubectl get services` shows. */
export function serviceRow(service: Frozen<Service>, nowMs: number): Cell[] {
  const { spec } = service
  return [
    name(service),
    spec?.type ?? '',
    spec?.clusterIPs?.[0] ?? '<none>',
    externalCell(service),
    portsCell(service),
    age(service, nowMs),
    labelCell(spec?.selector),
  ]
}

function externalCell({ spec, status }: Frozen<Service>): string {
  const addresses = spec?.externalIPs ?? []
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return addresses.join(',') || '<none>'
    case 'LoadBalancer':
      return (
        [loadBalancerCell(status?.loadBalancer?.ingress), ...addresses].filter((address) => address !== '').join(',') ||
        '<pending>'
      )
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

const portsCell = ({ spec }: Frozen<Service>): string =>
  (spec?.ports ?? [])
    .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? ''}`)
    .join(',') || '<none>'
