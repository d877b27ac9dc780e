import type { ComponentStatus } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { name } from '../table-format/cells.ts'

/** What `kubectl get componentstatuses` shows. */
export function componentStatusRow(component: Frozen<ComponentStatus>): Cell[] {
  const health = component.conditions?.find(({ type }) => type === 'Healthy')
  return [
    name(component),
    !health ? 'Unknown' : health.status === 'True' ? 'Healthy' : 'Unhealthy',
    health?.message ?? '',
    health?.error ?? '',
  ]
}
