import type { CronJob } from '../generated/types/batch-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, containerCells, name, selectorCell, since } from '../table-format/cells.ts'

/** What `kubectl get cronjobs` shows. */
export function cronJobRow(cronJob: Frozen<CronJob>, nowMs: number): Cell[] {
  const { spec, status } = cronJob
  const job = spec?.jobTemplate?.spec
  const last = status?.lastScheduleTime ? since(status.lastScheduleTime, nowMs) : '<none>'
  const suspended = spec?.suspend === undefined || spec.suspend === null ? '<unset>' : spec.suspend ? 'True' : 'False'
  return [
    name(cronJob),
    spec?.schedule ?? '',
    spec?.timeZone ?? '<none>',
    suspended,
    status?.active?.length ?? 0,
    last,
    age(cronJob, nowMs),
    ...containerCells(job?.template?.spec?.containers),
    selectorCell(job?.selector),
  ]
}
