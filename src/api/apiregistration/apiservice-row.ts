import type { APIService } from '../generated/types/apiregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get apiservices` shows. */
export function apiServiceRow(service: Frozen<APIService>, nowMs: number): Cell[] {
  const target = service.spec?.service
  return [
    name(service),
    target ? `${target.namespace ?? ''}/${target.name ?? ''}` : 'Local',
    availableCell(service),
    age(service, nowMs),
  ]
}

function availableCell({ status }: Frozen<APIService>): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available')
  if (!available) return 'Unknown'
  return available.status !== 'True' && available.reason
    ? `${available.status} (${available.reason})`
    : available.status
}
