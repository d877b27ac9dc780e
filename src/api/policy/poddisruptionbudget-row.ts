import type { PodDisruptionBudget } from '../generated/types/policy-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get poddisruptionbudgets` shows. */
export function podDisruptionBudgetRow(budget: Frozen<PodDisruptionBudget>, nowMs: number): Cell[] {
  const { spec, status } = budget
  return [
    name(budget),
    String(spec?.minAvailable ?? 'N/A'),
    String(spec?.maxUnavailable ?? 'N/A'),
    status?.disruptionsAllowed ?? 0,
    age(budget, nowMs),
  ]
}
