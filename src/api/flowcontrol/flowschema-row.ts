import type { FlowSchema } from '../generated/types/flowcontrol-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get flowschemas` shows. */
export function flowSchemaRow(schema: Frozen<FlowSchema>, nowMs: number): Cell[] {
  const { spec, status } = schema
  const dangling = status?.conditions?.find(({ type }) => type === 'Dangling')
  return [
    name(schema),
    spec?.priorityLevelConfiguration?.name ?? '',
    spec?.matchingPrecedence ?? 0,
    spec?.distinguisherMethod?.type ?? '<none>',
    age(schema, nowMs),
    dangling ? (dangling.status ?? '') : '?',
  ]
}

/** The order in which requests are matched. */
export const flowSchemaOrder = (a: Frozen<FlowSchema>, b: Frozen<FlowSchema>): number =>
  (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0) || (name(a) < name(b) ? -1 : 1)
